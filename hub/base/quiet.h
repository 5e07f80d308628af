/* Threads of the library's own, which run no hub and which no signal of the process reaches. */
#ifndef HUBBUB_BASE_QUIET_H
#define HUBBUB_BASE_QUIET_H

#include <stddef.h>

/* Starts a detached thread with a stack of so many bytes and all signals blocked, since these are
 * for the threads that run hubs. Returns 0, or an errno: EAGAIN, ENOMEM. */
int quiet_thread_start(size_t stack_size, void *(*run)(void *), void *argument);

#endif
