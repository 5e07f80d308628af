/* Backtraces by libunwind: of a hub's coroutines, and of a worker that has crashed; built without
 * libunwind, all are empty. Addresses mean the same in a process and in the process that it was
 * forked from. The first backtrace opens two file descriptors, which libunwind uses from then on,
 * in forked processes, too: so a process that forks, and whose child closes fds that it does not
 * know, must not have taken any. Writing a backtrace opens nothing. */
#ifndef HUBBUB_DEBUG_BACKTRACE_H
#define HUBBUB_DEBUG_BACKTRACE_H

#include <stddef.h>

#include "hub/base/inside.h"

/* Stores the addresses at which the code that a signal has interrupted goes on, innermost first;
 * returns how many, at most `most`. context is the handler's third argument. Async-signal-safe. */
size_t backtrace_of_signal(void *context, void **frames, size_t most)
	HUB_INSIDE(backtrace_of_signal);

/* Writes a line for each frame to text, of size bytes, with a NUL; returns the length without the
 * NUL. */
size_t backtrace_write(char *text, size_t size, void *const *frames, size_t count)
	HUB_INSIDE(backtrace_write);

/* Writes "function+0x12 (object+0x3456)" for an address, as backtrace_write. */
size_t backtrace_write_address(char *text, size_t size, const void *address);

#endif
