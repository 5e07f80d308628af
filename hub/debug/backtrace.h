/* Backtraces by libunwind, for a hub that tells of its coroutines and for a worker that has
 * crashed; without libunwind, at build time, all are empty. Addresses mean the same in a process
 * and in the one that it was forked from. The first one that is taken opens two
 * descriptors, which libunwind uses from then on, in forks of the process, too: whoever forks and
 * closes what it does not know must not have taken one. Writing one opens nothing. */
#ifndef HUBBUB_DEBUG_BACKTRACE_H
#define HUBBUB_DEBUG_BACKTRACE_H

#include <stddef.h>

#include "hub/base/inside.h"

/* The addresses at which what a signal has interrupted goes on, innermost first; returns how many,
 * at most that many. context is the handler's third argument. Async-signal-safe. */
size_t backtrace_of_signal(void *context, void **frames, size_t most)
	HUB_INSIDE(backtrace_of_signal);

/* Writes a line per frame to text, of size bytes, with a NUL; returns the length without that. */
size_t backtrace_write(char *text, size_t size, void *const *frames, size_t count)
	HUB_INSIDE(backtrace_write);

/* Writes "function+0x12 (object+0x3456)" for an address, as backtrace_write. */
size_t backtrace_write_address(char *text, size_t size, const void *address);

#endif
