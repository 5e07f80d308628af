/* Memory that is refused now and then, while coroutines run. The hub's own allocations are these
 * because it is compiled with malloc=hub_sim_malloc and so on; a program's may be, too. The memory
 * itself is the allocator's. */
#include <errno.h>
#include <stdlib.h>

#include "hub/base/kernel.h"
#include "hub/scheduler_priv.h"
#include "sim/world/world_priv.h"

/* Not before the first coroutine runs: a hub that cannot even begin is a test of nothing. */
static bool
is_refused(size_t size)
{
	if (!world_exists() || hub_running == NULL || hub_running->main == NULL ||
		!hub_running->main->has_run || !world_chance(world_options()->allocation))
		return false;
	world_note("%ld bytes of memory are refused", (long)size, 0, 0);
	errno = ENOMEM;
	return true;
}

void *
hub_sim_malloc(size_t size)
{
	return is_refused(size) ? NULL : malloc(size);
}

void *
hub_sim_calloc(size_t count, size_t size)
{
	return is_refused(count * size) ? NULL : calloc(count, size);
}

void *
hub_sim_realloc(void *memory, size_t size)
{
	return is_refused(size) ? NULL : realloc(memory, size);
}

/* Memory of files, such as a program's own symbols, is there. */
void *
kernel_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if ((flags & MAP_ANONYMOUS) && is_refused(length))
		return MAP_FAILED;
	return real_mmap(at, length, protection, flags, fd, offset);
}

/* More kinds of pages in a row need more of the kernel's memory. */
int
kernel_mprotect(void *address, size_t length, int protection)
{
	return is_refused(length) ? -1 : real_mprotect(address, length, protection);
}
