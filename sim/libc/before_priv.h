/* What libc's names in the world share (before.c, before_poll.c, and so on). */
#ifndef HUBBUB_SIM_BEFORE_PRIV_H
#define HUBBUB_SIM_BEFORE_PRIV_H

#include <dlfcn.h>
#include <errno.h>

#include "hub/base/kernel.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

#define EXPORT __attribute__((visibility("default")))

/* Libc's own function of that name. */
#define LIBC(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* Libraries that the hub calls, such as libunwind, live in the real world: a pipe of theirs lasts
 * longer than a simulated one. */
static inline bool
is_in_world(void)
{
	return world_exists() && !bypass_is_on();
}

/* The result of a call of the program's own. */
static inline ssize_t
never_blocks(int fd, const char *name, ssize_t result)
{
	struct file *file = files_has(fd) ? files_get(fd) : NULL;

	if (result == -1 && errno == EAGAIN && file != NULL && !(file->flags & O_NONBLOCK))
		world_fail("%s blocks on descriptor %d: call the hub's", name, fd);
	return result;
}

#endif
