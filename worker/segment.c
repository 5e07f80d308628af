/* What the segment's header says of the file is memory of all workers, one of which may have
 * overwritten it; so only the kernel says how long the file is. That only grows (memory.h), so what
 * has been seen of it holds. */
#include "worker/segment.h"

#include <stddef.h>
#include <sys/stat.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/memory.h"

#define ROWS_AT_ONCE 64 /* by which the file grows */

static int own_file = -1;
static uint32_t known_used; /* all threads of the process raise it */

void
segment_enter(int fd)
{
	own_file = fd;
	__atomic_store_n(&known_used, 0, __ATOMIC_RELAXED);
}

int
segment_file(void)
{
	return own_file;
}

size_t
segment_bytes(uint32_t rows)
{
	uint32_t whole = (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * ROWS_AT_ONCE;

	CHECK(rows <= COUNTERS_ROWS);
	return offsetof(struct counters, rows) +
	       (whole < COUNTERS_ROWS ? whole : COUNTERS_ROWS) * sizeof(struct worker_row);
}

bool
segment_reach(uint32_t rows)
{
	CHECK_WHY(own_file != -1, "before segment_enter there is no file");
	return memory_grow(own_file, segment_bytes(rows));
}

/* How many rows the file has. */
static uint32_t
rows_there(void)
{
	struct stat status;
	size_t rows;

	if (kernel_fstat(own_file, &status) != 0 ||
		(size_t)status.st_size < offsetof(struct counters, rows))
		return 0;
	rows = ((size_t)status.st_size - offsetof(struct counters, rows)) /
	       sizeof(struct worker_row);
	return rows < COUNTERS_ROWS ? (uint32_t)rows : COUNTERS_ROWS;
}

uint32_t
segment_used(const struct counters *counters)
{
	uint32_t used = __atomic_load_n(&counters->used, __ATOMIC_ACQUIRE), there;
	uint32_t known = __atomic_load_n(&known_used, __ATOMIC_RELAXED);

	DCHECK(known <= COUNTERS_ROWS);
	if (used <= known)
		return known;
	there = rows_there();
	if (used > there)
		used = there;
	while (known < used && !__atomic_compare_exchange_n(&known_used, &known, used, false,
				       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
	return known < used ? used : known;
}
