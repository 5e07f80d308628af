/* Backtraces of coroutines. */
#ifndef HUBBUB_DEBUG_BACKTRACE_PRIV_H
#define HUBBUB_DEBUG_BACKTRACE_PRIV_H

#include "hub/arch/switch_priv.h"
#include "hub/debug/backtrace.h"

/* As backtrace_of_signal, for a suspended coroutine's stack. */
size_t backtrace_of_context(const struct arch_context *context, void **frames, size_t most);

#endif
