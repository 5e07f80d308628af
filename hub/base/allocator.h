/* The allocator is the program's: what libraries need of jemalloc they have only where that is. */
#ifndef HUBBUB_BASE_ALLOCATOR_H
#define HUBBUB_BASE_ALLOCATOR_H

#include <stddef.h>

#include "hub/base/inside.h"

/* jemalloc's; NULL in programs without it. */
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
	__attribute__((weak));

/* Which one malloc(3) is, for people: "jemalloc". */
const char *allocator_name(void) HUB_INSIDE(allocator_name);

#endif
