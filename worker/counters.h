/* The counters of all hubs, in a segment that masters and workers share (segment.h): claiming and
 * freeing rows, and adding them up. Record locks on the segment's file say who owns a row and
 * whether its worker lives (rights.h).
 *
 * A process makes or maps one segment only, and never closes a descriptor of the segment's file:
 * closing any of them would release all of the process's locks. */
#ifndef HUBBUB_WORKER_COUNTERS_H
#define HUBBUB_WORKER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "worker/segment.h"

struct hub_sums;

/* Makes a segment, of which the calling process is the first master. *fd stays the caller's;
 * children share it and the mapping. NULL with errno. */
struct counters *counters_new(int *fd);

/* Maps the segment of another process, whose program may count other things; the calling process
 * becomes one of its masters. NULL with errno: EPROTO if it is no segment of this version, ENOSPC
 * if LAYOUTS_MAX other programs have used it. */
struct counters *counters_map(int fd);

/* Unmaps the segment and nulls the pointer. NULL is ignored. */
void counters_free(struct counters **counters);

/* Claims count adjacent rows for this master: one for each hub of a new process of that worker.
 * NULL with errno: ENOSPC if there are not count free rows in sequence; EFBIG by a limit on the
 * size of files. */
struct worker_row *counters_claim(
	struct counters *counters, uint32_t worker, uint32_t generation, uint32_t count);

/* Marks rows DEAD whose process has ended; their open connections count as closed. The caller
 * counts and logs the death only after this call: if it dies in between, the next master finds DEAD
 * rows and does neither, so that nothing is counted or logged twice. */
void counters_bury(struct counters *counters, struct worker_row *rows, uint32_t count);

/* Buries the rows, adds them to the ledger, and frees them. The caller no longer owns them. While
 * another master folds, the rows stay DEAD for counters_fold_orphans of any master. */
void counters_fold(struct counters *counters, struct worker_row *rows, uint32_t count);

/* In a worker: owns the rows for as long as the process lives. Returns 0, or -1 with errno. */
int counters_hold(const struct counters *counters, const struct worker_row *rows, uint32_t count);

/* Folds the rows of dead workers whose master is dead, too, and counts their open connections as
 * lost; then all rows that are DEAD and not folded. */
void counters_fold_orphans(struct counters *counters);

/* Whether this process has claimed the row, by its own memory. */
bool counters_is_own(const struct counters *counters, const struct worker_row *row);

/* For rows that this process has claimed and not buried: whether something has overwritten what
 * only the claiming master writes in them. Then it writes that again, and what the segment begins
 * with; what they count is not to be trusted, and their connections count as closed. */
bool counters_mend(struct counters *counters, struct worker_row *rows, uint32_t count);

/* Whether the process, of which path is a link in /proc/PID/fd that names a segment, is a worker
 * whose master is dead, although another master of the segment may live: then it drains. Also true
 * of every process if no master of the segment lives. False if this process may not look. */
bool counters_are_orphaned(const char *path, pid_t pid);

/* Adds up what one hub of one worker has counted, over its processes, living and dead, of all
 * masters. Returns false if there never was such a hub. */
bool counters_sum(
	const struct counters *counters, uint32_t worker, uint32_t hub, struct worker_row *sum);

/* The same of every hub at once: O(n), where a sum for each of n hubs is O(n^2). The caller frees
 * them with hub_sums_fini. Returns 0, or -1 with errno ENOMEM, and nothing to free. */
int counters_sum_hubs(const struct counters *counters, struct hub_sums *sums);

/* Adds up the whole server: all hubs, and what the masters count. */
void counters_sum_all(const struct counters *counters, struct worker_row *sum);

/* The same without histograms and the service's own metrics: less work, for who asks often. */
struct worker_row counters_total(const struct counters *counters);

/* How many connections the whole server has accepted, and how many have ended: a few counters of
 * each row, for each tick. */
void counters_flow(const struct counters *counters, uint64_t *accepted, uint64_t *closed);

/* Adds to a field; the caller must be its only writer. The release store orders it after the
 * caller's earlier additions: a reader that sees a connection closed has seen it opened. */
static inline void
counters_add(uint64_t *field, uint64_t amount)
{
	__atomic_store_n(field, *field + amount, __ATOMIC_RELEASE);
}

static inline uint64_t
counters_read(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_RELAXED);
}

/* The row in which masters of this program count what belongs to no hub. */
struct worker_row *counters_server(struct counters *counters);

/* Adds to a field of the counters_server row, which has several writers. */
static inline void
counters_note(uint64_t *field, uint64_t amount)
{
	__atomic_fetch_add(field, amount, __ATOMIC_RELAXED);
}

/* How many connections a hub has open; at most INT32_MAX, since each has a file descriptor: a row
 * is memory of its worker, which may have overwritten it. */
static inline uint64_t
counters_open(const struct worker_row *row)
{
	/* closed first, in the reverse of the order in which counters_add wrote: a connection that
	 * ends between the two reads cannot make the difference negative. */
	uint64_t closed = __atomic_load_n(&row->closed, __ATOMIC_ACQUIRE);
	int64_t open = (int64_t)(counters_read(&row->opened) - closed);

	if (open < 0)
		return 0;
	return open < INT32_MAX ? (uint64_t)open : INT32_MAX;
}

/* Takes at most most permits, and never makes the row's number negative. Returns how many it
 * took. */
static inline int64_t
counters_take_permits(struct worker_row *row, int64_t most)
{
	int64_t free = __atomic_load_n(&row->permits, __ATOMIC_RELAXED), taken;

	do
		taken = free < most ? free : most;
	while (taken > 0 && !__atomic_compare_exchange_n(&row->permits, &free, free - taken, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return taken > 0 ? taken : 0;
}

static inline void
counters_give_permits(struct worker_row *row, int64_t count)
{
	__atomic_fetch_add(&row->permits, count, __ATOMIC_ACQ_REL);
}

#endif
