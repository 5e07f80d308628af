/* The way to other processes, of this machine and of others: Redis, by hiredis, whose blocking
 * calls are patched. What a process publishes comes back to all that subscribe, with the process's
 * mark, so that it does not say its own twice. */
#ifndef WEBSOCKET_REDIS_H
#define WEBSOCKET_REDIS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct hub_shared_queue;
struct message;
struct room;

struct redis {
	const char *address; /* HOST:PORT; NULL: none */
	char host[256];
	int port;
	char mark[16];                     /* of this process; no other one has it */
	struct hub_shared_queue *messages; /* to be published */
	atomic_bool is_subscribed;
};

/* Before the process has other hubs. Returns NULL, or why it cannot. */
const char *redis_open(struct redis *redis);

/* After all other hubs have ended. */
void redis_close(struct redis *redis);

/* Whether what is said here is heard in other processes. */
bool redis_is_reached(const struct redis *redis);

/* Gives other processes a message soon; it is lost, and counted, if too many wait already.
 * Switches: no. */
void redis_publish(struct redis *redis, struct message *message);

/* Joins this process to the others; a background function of each worker. Returns NULL at the end,
 * or why Redis is not reached; then it is called again, after a pause that grows. */
const char *redis_run(struct redis *redis, struct room *room);

#endif
