/* One atomic counter for each fd, in an array of the process. The array's untouched pages take no
 * memory, and no lock guards it. */
#include "hub/patch/generation_priv.h"

#include <stdatomic.h>

static _Atomic uint32_t generations[GENERATION_NUMBERS];
static atomic_bool is_asked;

static bool
is_counted(int fd)
{
	return fd >= 0 && fd < GENERATION_NUMBERS;
}

bool
generation_is_asked(void)
{
	return atomic_load_explicit(&is_asked, memory_order_relaxed);
}

uint32_t
generation_of(int fd)
{
	/* Written once: a store in each call would keep moving the cache line between threads. */
	if (!generation_is_asked())
		atomic_store(&is_asked, true);
	return is_counted(fd) ? atomic_load_explicit(&generations[fd], memory_order_acquire) : 0;
}

uint32_t
generation_next(int fd)
{
	return is_counted(fd) ? atomic_fetch_add(&generations[fd], 1) + 1 : 0;
}
