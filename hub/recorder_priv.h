/* What the hub's modules record. Off, each place costs a load and a branch, of a flag in the hub's
 * first cache line. */
#ifndef HUBBUB_RECORDER_PRIV_H
#define HUBBUB_RECORDER_PRIV_H

#include "hub/base/flight.h"
#include "hub/record_priv.h"

#define RECORDER_WORDS 64 /* that are found without a search; a power of two */

struct recorder {
	struct flight flight;
	/* A coroutine's `recorded` holds its name's index, and above it this number, which differs
	 * from those of former recorders and is not 0. */
	uint32_t number;
	/* When the loop returned that the hub polls; 0 before that is known. Its callbacks share
	 * one look at the clock. */
	int64_t polled;
	struct {
		const char *word;
		uint32_t index;
	} words[RECORDER_WORDS];
};

/* Whether switches of this hub are told to anybody: to a hook, or to the recorder. */
static inline bool
hub_is_traced(const struct hub *hub)
{
	return __builtin_expect(hub->is_traced, 0);
}

/* Sets the flag, after hooks or recorder have changed. */
void recorder_update(struct hub *hub);

/* The time of what is recorded now. */
int64_t recorder_time(const struct hub *hub, struct recorder *recorder);

/* Records something of the running coroutine's, or of a callback of the loop. All of these do
 * nothing if the hub has no recorder, and touch no errno. */
void recorder_put(struct hub *hub, enum flight_kind kind, uint32_t detail, uint64_t value);

/* The same with another coroutine as who, and at a time that is known. */
void recorder_put_of(struct hub *hub, enum flight_kind kind, const struct hub_coroutine *who,
	uint32_t detail, uint64_t value);
void recorder_put_at(
	struct hub *hub, enum flight_kind kind, uint32_t detail, uint64_t value, int64_t time);

/* The thread is about to go on with that coroutine; the running one has its new state. */
void recorder_put_switch(struct hub *hub, struct hub_coroutine *to);

/* The index of a coroutine's name in the ring. */
uint32_t recorder_name(struct recorder *recorder, struct hub_coroutine *coroutine);

/* The coroutine's wait has ended. Returns true, for a caller in tail position. */
bool recorder_put_wake(const struct hub_coroutine *coroutine, int reason);

void recorder_put_spawn(struct hub *hub, struct hub_coroutine *coroutine);

/* Ends with the hub, or is forgotten in a child process. */
void recorder_forget(struct hub *hub);

static inline void
record(struct hub *hub, enum flight_kind kind, uint32_t detail, uint64_t value)
{
	if (hub_is_traced(hub))
		recorder_put(hub, kind, detail, value);
}

/* How many coroutines are runnable. */
static inline uint64_t
record_runnable(const struct hub *hub)
{
	return hub->appended - hub->taken;
}

#endif
