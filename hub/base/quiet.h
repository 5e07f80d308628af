/* Threads of the library's own, which run no hub: no signal of the process reaches them. */
#ifndef HUBBUB_BASE_QUIET_H
#define HUBBUB_BASE_QUIET_H

#include <stddef.h>

/* Starts a detached thread with all signals blocked, which are for the threads that run hubs, and
 * a stack of so many bytes. Returns 0, or an errno: EAGAIN, ENOMEM. */
int quiet_thread_start(size_t stack_size, void *(*run)(void *), void *argument);

#endif
