/* A server in the simulated world: the real fleet of master/, its sockets and the shared counters,
 * on the loop of the world's hub, and the real workers (process.h). Only the master's process
 * around the fleet is missing: the test is the operator. Call these from a coroutine of the
 * world. */
#ifndef HUBBUB_TESTS_SIM_WORKER_SERVER_H
#define HUBBUB_TESTS_SIM_WORKER_SERVER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "worker/heritage.h"

/* Where a server may listen: it takes the first so many of them, in another sequence. */
#define SERVER_ADDRESSES_MAX 3 /* 127.0.0.1, [::1] and a Unix socket */

struct server_shape {
	unsigned processes, threads;
	unsigned addresses; /* listeners, at least one */
	unsigned turn;      /* by how many places their sequence is turned */
	int backlog;
	int64_t drain_timeout;    /* nanoseconds, also below */
	int64_t hang_timeout;     /* 0: none */
	uint64_t max_connections; /* 0: as many as the files allow */
	int64_t capacity;         /* connections of a worker, as its limit on files allows */
	unsigned blocking; /* one of so many connections blocks its hub for a while; 0: none */
	int64_t block_for; /* nanoseconds, at most */
	bool is_starved; /* memory or files are refused: workers may not start, and drop clients */
	struct worker_settings settings;
};

/* Starts the server. Returns NULL, or what has failed. */
const char *server_begin(const struct server_shape *shape);

/* One of the addresses at which it listens, each the same listener for the same number. */
struct server_address {
	struct sockaddr_storage socket;
	socklen_t length;
};
struct server_address server_address(unsigned number);

/* Waits until all workers are ready, or the server leaves. */
void server_wait_ready(void);

/* Starts another generation; waits, if asked to, until it has taken over, or was dropped. Returns
 * NULL, or why nothing has changed. */
const char *server_reload(bool is_waited_for);

/* Changes the number of workers; waits likewise. */
const char *server_scale(unsigned processes, bool is_waited_for);

/* As TERM: the server drains. Returns at once. */
void server_drain(void);

/* The log was opened anew. */
void server_reopen(void);

/* The server ends at once, without regard to connections. */
void server_quit(void);

/* As a second TERM: all connections end now, at a message boundary. */
void server_stop(void);

/* The master dies: the workers are alone. Returns at once. */
void server_die(void);

/* Whether it has begun to listen, and is not leaving. A Unix socket, which has its path before,
 * refuses whoever comes until then. */
bool server_is_open(void);

/* Whether it leaves, whether its master has died, and whether a connection may be ended within a
 * message, because the deadline has passed. */
bool server_is_leaving(void);
bool server_has_died(void);
bool server_is_late(void);

/* Waits until no worker is left, and ends. Returns NULL, or what does not add up. */
const char *server_end(void);

/* How many connections may have ended within a message because workers were killed. */
uint64_t server_victims(void);

/* What the whole server has counted; valid until the next server. */
const struct worker_row *server_total(void);

#endif
