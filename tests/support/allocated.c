/* jemalloc's counters of the thread. mallctl is a weak symbol: NULL where another allocator is
 * linked, as with a sanitizer. */
#include "tests/support/allocated.h"

#include <stddef.h>
#include <stdint.h>

#include "hub/base/allocator.h"

long
allocated_bytes(void)
{
	uint64_t allocated, freed;
	size_t size = sizeof allocated;

	if (mallctl == NULL || mallctl("thread.allocated", &allocated, &size, NULL, 0) != 0 ||
		mallctl("thread.deallocated", &freed, &size, NULL, 0) != 0)
		return -1;
	return (long)(allocated - freed);
}
