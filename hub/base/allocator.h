/* The allocator is the program's choice. The libraries call jemalloc only where the program has
 * it. */
#ifndef HUBBUB_BASE_ALLOCATOR_H
#define HUBBUB_BASE_ALLOCATOR_H

#include <stddef.h>

#include "hub/base/inside.h"

/* jemalloc's; NULL in programs without it. */
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
	__attribute__((weak));

/* The name, for people, of the allocator that malloc(3) belongs to: "jemalloc". Valid as long as
 * the library that it names is loaded. */
const char *allocator_name(void) HUB_INSIDE(allocator_name);

#endif
