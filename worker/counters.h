/* The counters of all hubs, in a segment that masters and workers share (segment.h): claiming
 * and freeing rows, and adding them up. Whose a row is, and whether it lives, is known by record
 * locks on the file, which the kernel takes away from a process that is dead, reaped or not, and
 * gives to none by fork:
 *
 *	byte i                   held by the worker whose row i is
 *	byte COUNTERS_ROWS + i   the right to claim, fold and free row i: held by the master that
 *	                         claimed it, until it has folded it, and by one that folds it in
 *	                         its place
 *	byte COUNTERS_ROWS * 2   the right to fold at all: one master at a time (fold.h)
 *
 * A process makes or maps one segment, and never closes a descriptor of its file before its end:
 * with any of them all its locks would go. */
#ifndef HUBBUB_WORKER_COUNTERS_H
#define HUBBUB_WORKER_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "worker/segment.h"

/* The calling process becomes one of a segment's masters: of a new one, whose *fd stays the
 * caller's and is shared by children, as the mapping is; NULL with errno. */
struct counters *counters_new(int *fd);

/* Or of that of another process, whose program may count other things. NULL with errno, EPROTO
 * if it is none of this version, ENOSPC if it has been of too many programs. */
struct counters *counters_map(int fd);

/* The segment's descriptor in this process and its children; -1 if there is none. */
int counters_file(void);

/* Unmaps it and nulls the pointer. NULL is ignored. */
void counters_free(struct counters **counters);

/* Claims count rows, one after the other, for the hubs of a new process of that worker, by this
 * master. NULL if so many are not free. */
struct worker_row *counters_claim(
	struct counters *counters, uint32_t worker, uint32_t generation, uint32_t count);

/* The process of these rows is gone, and what it had open is closed. What is said of its death
 * after that is said once: another master that finds the rows does not say it again. */
void counters_bury(struct counters *counters, struct worker_row *rows, uint32_t count);

/* Buries them, adds them to the ledger, and frees them; while another master folds, a later
 * counters_fold_orphans does, of whichever master. The caller has no rows any more. */
void counters_fold(struct counters *counters, struct worker_row *rows, uint32_t count);

/* In a worker: the rows are its own as long as it lives. Returns 0, or -1 with errno. */
int counters_hold(const struct counters *counters, const struct worker_row *rows, uint32_t count);

/* Folds the rows of masters that are dead, if their workers are, too; what those had open is
 * lost. And all that is buried and left. */
void counters_fold_orphans(struct counters *counters);

/* Whether this process has claimed that row. */
bool counters_is_own(const struct worker_row *row);

/* Whether path, a descriptor in another process's folder in /proc, is of a segment that has no
 * living master: then that process is a worker which drains. False if this process may not look. */
bool counters_are_orphaned(const char *path);

/* Copies what all rows of one worker and hub have counted, added up over its processes, living and
 * dead, in any master. Returns false if there never was one. */
bool counters_sum(
	const struct counters *counters, uint32_t worker, uint32_t hub, struct worker_row *sum);

/* The same for the whole server, with what its masters have counted. */
struct worker_row counters_total(const struct counters *counters);

/* Adds to a field of which the caller is the only writer. Whoever sees it also sees what the
 * caller has added to others before: of a connection, that it was opened before it was closed. */
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

/* What this program's masters count of the whole server. */
struct worker_row *counters_server(struct counters *counters);

/* Adds to a field of it. */
static inline void
counters_note(uint64_t *field, uint64_t amount)
{
	__atomic_fetch_add(field, amount, __ATOMIC_RELAXED);
}

/* How many connections a hub has open. */
static inline uint64_t
counters_open(const struct worker_row *row)
{
	/* In this order, so that one that ends meanwhile does not make it negative; counters_add
	 * has written them in the other one. */
	uint64_t closed = __atomic_load_n(&row->closed, __ATOMIC_ACQUIRE);

	return counters_read(&row->opened) - closed;
}

/* Takes up to so many permits, never below none. Returns how many. */
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
