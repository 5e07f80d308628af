/* Backtraces by libunwind; without it, at build time, all are empty. */
#ifndef HUBBUB_DEBUG_BACKTRACE_PRIV_H
#define HUBBUB_DEBUG_BACKTRACE_PRIV_H

#include <stddef.h>

#include "hub/arch/switch_priv.h"

/* The addresses at which a suspended stack goes on, innermost first; returns how many. */
size_t backtrace_of_context(const struct arch_context *context, void **frames, size_t most);

/* The same of what a signal has interrupted; context is the handler's third argument. */
size_t backtrace_of_signal(void *context, void **frames, size_t most);

/* Writes a line per frame to text, of size bytes, with a NUL; returns the length without that. */
size_t backtrace_write(char *text, size_t size, void *const *frames, size_t count);

/* Writes "function+0x12 (object+0x3456)" for an address, as backtrace_write. */
size_t backtrace_write_address(char *text, size_t size, const void *address);

#endif
