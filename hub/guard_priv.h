/* The guard below each stack: an overflow ends the process instead of corrupting the neighbour.
 *
 * - Marker: a mark in the page tables (Linux 6.13). It is no mapping of its own, so
 *   vm.max_map_count does not limit the number of stacks. It survives MADV_DONTNEED, and ends with
 *   the mapping.
 * - Protect: protected pages, two mappings for each stack. All hubs of the process share a budget:
 *   seven eighths of the mappings that the process may have, less those that it has (28,600 guards
 *   by default). Two stacks cannot share a guard, since both grow downwards; an unmapped hole would
 *   cost no mapping, but the next mapping of any thread may fill it.
 * - Canary: no guard; a pattern at the low end of the stack is checked at each park. The log says
 *   so once. */
#ifndef HUBBUB_GUARD_H
#define HUBBUB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#define STACK_GUARD_SIZE ((size_t)16 * 1024)

enum stack_guard { STACK_GUARD_MARKER, STACK_GUARD_PROTECT, STACK_GUARD_CANARY };

/* The kind of guard that this kernel offers, found once by trying. HUBBUB_STACK_GUARD in the
 * environment (marker, protect, canary) chooses a weaker one, for tests. */
enum stack_guard stack_guard_kind(void);

/* Bytes; 0 before the first call of stack_guard_kind. */
extern size_t stack_page_size;

/* Guards the STACK_GUARD_SIZE bytes from at on. Returns false if only a canary can protect the
 * stack. */
bool guard_install(unsigned char *at);

/* Gives count guards back to the budget, after their mappings have gone. */
void guards_unmapped(size_t count);

#endif
