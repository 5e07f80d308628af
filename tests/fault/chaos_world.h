/* The world of chaos: what actors act on, its totals, and complaints. */
#ifndef HUBBUB_TESTS_CHAOS_WORLD_H
#define HUBBUB_TESTS_CHAOS_WORLD_H

#include <hubbub/hub.h>

#include "tests/fuzz/random.h"

enum { ACTORS = 48, OBJECTS = 3, PERMITS = 2, CAPACITY = 4 };

/* Two sockets. Each byte that is sent over a pair is the last byte of the pair's serial number. */
struct pair {
	int ends[2];
	unsigned serial;
	bool is_accepted, is_ready; /* the handshake has begun, and is done */
};

extern struct world {
	struct hub_event events[OBJECTS];
	struct hub_semaphore semaphores[OBJECTS];
	struct hub_lock locks[OBJECTS];
	struct hub_condition conditions[OBJECTS];
	struct hub_channel channels[OBJECTS];
	struct hub_queue *queues[OBJECTS];
	struct hub_shared_semaphore *shared_semaphore;
	struct hub_shared_queue *shared_queue;
	struct hub_pool pool;
	struct pair pairs[OBJECTS], secure[OBJECTS];
	unsigned serial;
	bool is_locked[OBJECTS];
	struct hub_coroutine *actors[ACTORS];
	/* The totals that must be balanced at the end of a round. */
	long puts, gets, channel_puts, channel_gets, shared_puts, shared_gets;
	long permits[OBJECTS], shared_permits;
	long children;
} world;

/* Makes all of it anew; complains if something is not accounted for; frees all of it. In a hub. */
void world_make(void);
void world_check(void);
void world_free(void);

/* By which deadlines and rounds grow. */
extern int64_t pace;

/* New sockets for a pair, or false; closes one of TLS, if it is open. */
bool open_pair(struct pair *pair);
void close_secure(struct pair *pair);

/* Faults: each is printed, and counted. */
extern long failures;
void complain(const char *what, long value);
void expect(bool condition, const char *what, long value);

/* The errors with which any blocking call may fail here. */
bool is_interrupted(void);
void expect_interrupted(const char *what);

#endif
