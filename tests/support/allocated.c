#include "tests/support/allocated.h"

#include <stddef.h>
#include <stdint.h>

/* jemalloc's. */
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
	__attribute__((weak));

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
