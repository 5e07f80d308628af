/* Who owns a row of the segment (segment.h), and whether its worker lives: record locks on bytes of
 * the segment's file. The kernel releases the locks of a dead process, reaped or not, and a forked
 * child inherits none.
 *
 *	byte i                   locked by the worker that owns row i, for as long as it lives
 *	byte COUNTERS_ROWS + i   the right to claim, fold and free row i: locked by the master
 *	                         that claimed the row, until it has folded it, or by another
 *	                         master that folds the row in its place
 *	byte RIGHTS_TO_ANY       the right to fold any row: one master at a time (fold.h)
 *	bytes from there on      one for each name, by its hash: leases (lease.h) */
#ifndef HUBBUB_WORKER_RIGHTS_H
#define HUBBUB_WORKER_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "worker/segment.h"

#define RIGHTS_TO_ANY (COUNTERS_ROWS * 2)

/* The bytes that stand for a row: the life of its worker, and the right to fold it. */
off_t rights_life(const struct counters *counters, const struct worker_row *row);
off_t rights_to_fold(const struct counters *counters, const struct worker_row *row);

/* The byte that stands for a name, one of 2^62, in every release. */
off_t rights_of_name(const char *name);

/* Locks (F_WRLCK) or unlocks (F_UNLCK) count bytes of the file fd: all of them or none, without
 * waiting. Returns whether it did. */
bool rights_lock(int fd, short type, off_t first, uint32_t count);

/* Whether another process has locked one of these bytes; true also if the kernel cannot tell. */
bool rights_are_locked(int fd, off_t first, uint32_t count);

/* Whether the process holds the life of a row to which no master holds the right; true also of
 * every process if no master holds any. */
bool rights_are_orphaned(int fd, pid_t pid);

#endif
