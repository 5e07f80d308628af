/* Locks of fcntl(2) belong to a process, so its threads share them, and one that locks twice keeps
 * one lock. F_GETLK tells of one lock of another process, whichever. */
#include "worker/rights.h"

#include <fcntl.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/hash.h"

off_t
rights_life(const struct counters *counters, const struct worker_row *row)
{
	CHECK_WHY(row >= counters->rows && row < counters->rows + COUNTERS_ROWS,
		"a lock on another byte protects nothing");
	return row - counters->rows;
}

off_t
rights_to_fold(const struct counters *counters, const struct worker_row *row)
{
	return COUNTERS_ROWS + rights_life(counters, row);
}

off_t
rights_of_name(const char *name)
{
	return RIGHTS_TO_ANY + 1 + (off_t)(hash_text(name) >> 2);
}

bool
rights_lock(int fd, short type, off_t first, uint32_t count)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count};

	return fcntl(fd, F_SETLK, &range) == 0;
}

bool
rights_are_locked(int fd, off_t first, uint32_t count)
{
	struct flock range = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = count};

	return fcntl(fd, F_GETLK, &range) != 0 || range.l_type != F_UNLCK;
}

/* Whether the process holds the lives of rows, between two bytes of the file, to which no master
 * holds the right. The kernel names the holder of any lock in the range, not of the first one. */
static bool
has_orphaned_rows(int fd, pid_t pid, off_t first, off_t end)
{
	struct flock life = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = end - first};

	/* A length of 0 reaches to the end of all files; nobody here locks so. */
	if (first >= end || fcntl(fd, F_GETLK, &life) != 0 || life.l_type == F_UNLCK ||
		life.l_len == 0)
		return false;
	if (life.l_pid == pid)
		return !rights_are_locked(fd, COUNTERS_ROWS + life.l_start, (uint32_t)life.l_len);
	return has_orphaned_rows(fd, pid, first, life.l_start) ||
	       has_orphaned_rows(fd, pid, life.l_start + life.l_len, end);
}

bool
rights_are_orphaned(int fd, pid_t pid)
{
	return !rights_are_locked(fd, COUNTERS_ROWS, COUNTERS_ROWS) ||
	       has_orphaned_rows(fd, pid, 0, COUNTERS_ROWS);
}
