/* What every hub counts, in shared memory: the master answers for a worker without asking it, and
 * still knows the numbers when it is dead.
 *
 * One row per hub of each worker, padded so that no two share a cache line. Each row has a single
 * writer, its hub's thread; readers load field by field. No locks. The segment is a memfd with a
 * version, so that another master can map it. */
#ifndef HUBBUB_WORKER_COUNTERS_H
#define HUBBUB_WORKER_COUNTERS_H

#include <stdint.h>

#include "hub/scheduler.h"

enum accept_error {
	ACCEPT_ERROR_LIMIT,   /* out of files, buffers or memory: the acceptor backed off */
	ACCEPT_ERROR_ABORTED, /* the client was gone before it was accepted, and the like */
	ACCEPT_ERROR_MAX
};

struct worker_row {
	struct hub_counters hub; /* heartbeat and bytes, by the hub itself */
	uint64_t accepted;
	uint64_t closed; /* accepted - closed connections are open */
	uint64_t accept_errors[ACCEPT_ERROR_MAX];
} __attribute__((aligned(128)));

#define COUNTERS_VERSION 1

struct counters {
	uint32_t magic;
	uint32_t version;
	uint32_t workers;
	uint32_t hubs; /* per worker */
	/* Clock at which the next line about accept errors may be logged, by whichever hub sets it
	 * forward: one line a second for the whole server. */
	int64_t next_accept_line __attribute__((aligned(128)));
	struct worker_row rows[] __attribute__((aligned(128)));
};

/* Maps a zeroed segment; children of this process share it. NULL with errno. */
struct counters *counters_new(uint32_t workers, uint32_t hubs);

/* Unmaps it and nulls the pointer. NULL is ignored. */
void counters_free(struct counters **counters);

/* The rows of one worker, one per hub. */
struct worker_row *counters_rows(struct counters *counters, uint32_t worker);

/* Adds row to total and zeroes it, when its writer is gone; what was open counts as closed. */
void counters_fold(struct worker_row *total, struct worker_row *row);

/* Adds to a field of which the caller is the only writer. */
static inline void
counters_add(uint64_t *field, uint64_t amount)
{
	__atomic_store_n(field, *field + amount, __ATOMIC_RELAXED);
}

#endif
