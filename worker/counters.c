/* The segment in one process: its record locks, the number of this master, and the layout of its
 * program. Order of claiming and freeing: the right to a row is locked before the row
 * becomes LIVE, and unlocked only after it is folded or left for another master, so that no living
 * row is without a holder. */
#include "worker/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/memory.h"
#include "worker/catalog.h"
#include "worker/fold.h"
#include "worker/layout.h"
#include "worker/rights.h"
#include "worker/sums.h"

#define COUNTERS_MAGIC UINT32_C(0x68756262) /* "hubb" */
#define FOLD_TRIES 50                       /* of 0.1 ms and the system call: about 8 ms in all */

/* The process's place in the segment that it has made or mapped. */
static uint32_t own_number; /* this master's number in the segment, from 1 */
static uint32_t own_layout; /* index of this program's layout */
/* What this master has written into the rows that it has claimed, where no worker can overwrite
 * it. */
static struct own_row {
	bool is_own;
	uint32_t worker, generation;
	uint16_t index;
} own_rows[COUNTERS_ROWS];
/* Rows are left DEAD that this process could not fold, since another master folded. */
static bool own_left;

static struct counters *
become_master(struct counters *counters, int fd)
{
	int layout = layout_enter(counters);

	if (layout == -1)
		return NULL;
	/* Its holes would be filled in a core. */
	kernel_madvise(counters, sizeof *counters, MADV_DONTDUMP);
	own_layout = (uint32_t)layout;
	segment_enter(fd);
	memset(own_rows, 0, sizeof own_rows);
	own_left = false;
	/* 0 is no master's, also after so many. */
	do
		own_number = __atomic_add_fetch(&counters->masters, 1, __ATOMIC_RELAXED);
	while (own_number == 0);
	return counters;
}

static void
begin_with(struct counters *counters)
{
	counters->magic = COUNTERS_MAGIC;
	counters->version = COUNTERS_VERSION;
	counters->row_size = sizeof(struct worker_row);
}

struct counters *
counters_new(int *fd)
{
	struct counters *counters =
		memory_new_growing(COUNTERS_NAME, segment_bytes(1), sizeof *counters, fd);

	if (counters == NULL)
		return NULL;
	begin_with(counters);
	/* Cannot fail: a new segment has no layout yet. */
	return become_master(counters, *fd);
}

struct counters *
counters_map(int fd)
{
	struct counters *counters = memory_map_growing(fd, segment_bytes(0), sizeof *counters);
	int error = EPROTO;

	if (counters == NULL)
		return NULL;
	if (counters->magic == COUNTERS_MAGIC && counters->version == COUNTERS_VERSION &&
		counters->row_size == sizeof(struct worker_row)) {
		if (become_master(counters, fd) != NULL)
			return counters;
		error = errno;
	}
	counters_free(&counters);
	errno = error;
	return NULL;
}

void
counters_free(struct counters **counters)
{
	memory_free((void **)counters, sizeof **counters);
}

struct worker_row *
counters_server(struct counters *counters)
{
	return &counters->layouts[own_layout].server;
}

/* ---- whose a row is ---- */

/* Locks (F_WRLCK) or unlocks (F_UNLCK) count bytes: all of them or none, without waiting. */
static bool
lock(short type, off_t first, uint32_t count)
{
	int file = segment_file();

	CHECK_WHY(file != -1, "before counters_new or counters_map there is nothing to lock");
	return rights_lock(file, type, first, count);
}

int
counters_hold(const struct counters *counters, const struct worker_row *rows, uint32_t count)
{
	return lock(F_WRLCK, rights_life(counters, rows), count) ? 0 : -1;
}

bool
counters_is_own(const struct counters *counters, const struct worker_row *row)
{
	return own_rows[row - counters->rows].is_own;
}

bool
counters_are_orphaned(const char *path, pid_t pid)
{
	struct stat own, other;
	bool are_orphaned;
	int fd;

	/* Closing any descriptor of the own segment's file would release this process's locks. */
	if (stat(path, &other) != 0 ||
		(fstat(segment_file(), &own) == 0 && own.st_dev == other.st_dev &&
			own.st_ino == other.st_ino))
		return false;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return false;
	are_orphaned = rights_are_orphaned(fd, pid);
	close(fd);
	return are_orphaned;
}

/* ---- claiming ---- */

static bool
row_claim(struct worker_row *row)
{
	uint32_t expected = row_state(row);

	return !row_counts(expected) &&
	       __atomic_compare_exchange_n(
		       &row->state, &expected, ROW_LIVE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool
are_free(const struct counters *counters, const struct worker_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (row_counts(row_state(&rows[i])) || counters_is_own(counters, &rows[i]))
			return false;
	return true;
}

/* Claims these rows, all or none. Locks the right to them first: no row is ever LIVE without a
 * holder of that right. */
static bool
claim_at(const struct counters *counters, struct worker_row *rows, uint32_t count)
{
	bool is_free = are_free(counters, rows, count) &&
		       lock(F_WRLCK, rights_to_fold(counters, rows), count);

	/* A worker whose master is dead lives on, whatever was written over its state. */
	if (is_free && rights_are_locked(segment_file(), rights_life(counters, rows), count)) {
		lock(F_UNLCK, rights_to_fold(counters, rows), count);
		is_free = false;
	}
	if (!is_free)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (row_claim(&rows[i]))
			continue;
		while (i-- > 0)
			__atomic_store_n(&rows[i].state, ROW_FREE, __ATOMIC_RELEASE);
		lock(F_UNLCK, rights_to_fold(counters, rows), count);
		return false;
	}
	return true;
}

/* Nothing of a row is touched before the file has it. */
static struct worker_row *
claim(struct counters *counters, uint32_t count)
{
	for (uint32_t at = 0; at + count <= COUNTERS_ROWS; at++) {
		uint32_t used = segment_used(counters);

		if (at + count > used && !segment_reach(at + count))
			return NULL;
		if (!claim_at(counters, &counters->rows[at], count))
			continue;
		while (used < at + count &&
			!__atomic_compare_exchange_n(&counters->used, &used, at + count, false,
				__ATOMIC_RELEASE, __ATOMIC_RELAXED))
			continue;
		return &counters->rows[at];
	}
	errno = ENOSPC;
	return NULL;
}

/* Writes what only this master writes into a row that it has claimed. */
static void
sign(const struct counters *counters, struct worker_row *row)
{
	const struct own_row *own = &own_rows[row - counters->rows];

	row->worker = own->worker;
	row->index = own->index;
	row->generation = own->generation;
	row->layout = own_layout;
	__atomic_store_n(&row->master, own_number, __ATOMIC_RELAXED);
}

static bool
is_signed(const struct counters *counters, const struct worker_row *row)
{
	const struct own_row *own = &own_rows[row - counters->rows];

	return row_state(row) == ROW_LIVE && row->worker == own->worker &&
	       row->index == own->index && row->generation == own->generation &&
	       row->layout == own_layout && row->master == own_number;
}

/* Whether nothing is left of a former process, and nothing was written over the row. */
static bool
is_blank(const struct worker_row *row)
{
	static const struct worker_row blank;

	return memcmp((const char *)row + sizeof row->state,
		       (const char *)&blank + sizeof blank.state,
		       sizeof blank - sizeof blank.state) == 0;
}

struct worker_row *
counters_claim(struct counters *counters, uint32_t worker, uint32_t generation, uint32_t count)
{
	struct worker_row *rows;

	CHECK(count > 0);
	CHECK_WHY(own_number != 0, "rows without a master's number are orphans at once");
	rows = claim(counters, count);
	for (uint32_t i = 0; rows != NULL && i < count; i++) {
		if (!is_blank(&rows[i]))
			memset((char *)&rows[i] + sizeof rows[i].state, 0,
				sizeof rows[i] - sizeof rows[i].state);
		own_rows[&rows[i] - counters->rows] =
			(struct own_row){true, worker, generation, (uint16_t)i};
		sign(counters, &rows[i]);
	}
	return rows;
}

bool
counters_mend(struct counters *counters, struct worker_row *rows, uint32_t count)
{
	bool are_signed = true;

	for (uint32_t i = 0; i < count; i++)
		are_signed = are_signed && is_signed(counters, &rows[i]);
	if (are_signed)
		return false;
	begin_with(counters);
	for (uint32_t i = 0; i < count; i++) {
		rows[i].opened = rows[i].closed = 0;
		sign(counters, &rows[i]);
		__atomic_store_n(&rows[i].state, ROW_LIVE, __ATOMIC_RELEASE);
	}
	return true;
}

/* ---- adding up ---- */

void
counters_bury(struct counters *counters, struct worker_row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (counters_is_own(counters, &rows[i]))
			sign(counters, &rows[i]);
		fold_bury(counters, &rows[i]);
	}
}

/* Counts the connections that died with the worker as lost, in the dead worker's own row: if this
 * master dies here, the next one to find the row stores the same number in the same place. */
static void
bury_orphan(struct counters *counters, struct worker_row *row)
{
	int place = layout_place(counters, row->layout, COUNTED_lost);
	struct worker_row left = {0};

	sums_add(counters, &left, row, row->counts, false, 0, COUNTED_SINGLE_MAX);
	if (place != -1)
		__atomic_store_n(&row->counts[place], counters_open(&left), __ATOMIC_RELAXED);
	fold_bury(counters, row);
	if (place == -1)
		counters_note(&counters_server(counters)->lost, counters_open(&left));
}

static void
fold_orphan(struct counters *counters, struct worker_row *row)
{
	/* The row's master lives, or another master is folding the row. */
	if (!lock(F_WRLCK, rights_to_fold(counters, row), 1))
		return;
	if (!rights_are_locked(segment_file(), rights_life(counters, row), 1)) {
		if (row_state(row) == ROW_LIVE)
			bury_orphan(counters, row);
		if (row_state(row) == ROW_DEAD)
			fold_row(counters, row);
	}
	lock(F_UNLCK, rights_to_fold(counters, row), 1);
}

void
counters_fold_orphans(struct counters *counters)
{
	if (!fold_lock())
		return;
	own_left = false;
	/* Finish the fold of a master that died while it had the right. */
	fold_finish(counters);
	for (uint32_t i = 0; i < segment_used(counters); i++) {
		struct worker_row *row = &counters->rows[i];
		uint32_t state = row_state(row);

		if ((state == ROW_DEAD || state == ROW_LIVE) && !counters_is_own(counters, row))
			fold_orphan(counters, row);
	}
	fold_unlock();
}

void
counters_fold(struct counters *counters, struct worker_row *rows, uint32_t count)
{
	int tries = 0;
	bool may_fold;

	counters_bury(counters, rows, count);
	while (!(may_fold = fold_lock()) && !own_left && tries++ < FOLD_TRIES)
		fold_wait();
	if (may_fold) {
		fold_finish(counters);
		for (uint32_t i = 0; i < count; i++)
			fold_row(counters, &rows[i]);
		fold_unlock();
	}
	for (uint32_t i = 0; i < count; i++)
		own_rows[&rows[i] - counters->rows].is_own = false;
	lock(F_UNLCK, rights_to_fold(counters, rows), count);
	own_left |= !may_fold;
	if (own_left)
		counters_fold_orphans(counters);
}
