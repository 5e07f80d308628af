/* What lies below each stack, so that one that overflows ends the process and not its neighbour.
 *
 * - A marker in the page tables (Linux 6.13): no mapping of its own, so vm.max_map_count does not
 *   limit the number of stacks. It survives MADV_DONTNEED, and goes with the mapping.
 * - Protected pages: two mappings for each stack, so all hubs of the process share a budget: seven
 *   eighths of what the process may have and has not (28,600 guards by default). Two stacks cannot
 *   share one, since both grow downwards; a hole instead of pages would cost no mapping, but
 *   anybody's next mapping may fill it.
 * - Nothing: the stack has a canary, checked at each park. The log says so once. */
#ifndef HUBBUB_GUARD_H
#define HUBBUB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#define STACK_GUARD_SIZE ((size_t)16 * 1024)

enum stack_guard { STACK_GUARD_MARKER, STACK_GUARD_PROTECT, STACK_GUARD_CANARY };

/* What guards new stacks of this process, found out once by trying. HUBBUB_STACK_GUARD in the
 * environment (marker, protect, canary) chooses a weaker one, for tests. */
enum stack_guard stack_guard_kind(void);

/* Known once stack_guard_kind was called. */
extern size_t stack_page_size;

/* Guards STACK_GUARD_SIZE bytes from there on. Returns false if nothing does. */
bool guard_install(unsigned char *at);

/* So many installed guards are gone with their mapping. */
void guards_unmapped(size_t count);

#endif
