/* Watchdog: reports a hub that has not switched for long, because a coroutine computes or blocks
 * the thread.
 *
 * It is always on. A thread of the process reads each hub's switch counter every 10 to 100 ms,
 * which costs the hubs nothing, and makes busy hubs look at their clocks every 10 ms. A hub that
 * has not switched for HUBBUB_WATCHDOG milliseconds (environment; default 100, 0 turns reports off)
 * is reported once, and again whenever that time has grown tenfold: by the hook `blocked`
 * (debug/hooks.h), or on stderr, with the running coroutine's name and a backtrace.
 *
 * A thread that gets no CPU, because the machine is overloaded, is not reported, unless it has
 * computed for a fifth of that time.
 *
 * For the backtrace, SIGURG interrupts a thread that runs. A thread that sleeps in a system call,
 * which the signal could end early, is looked at through /proc/self/task/TID/syscall instead; its
 * backtrace is made of the addresses on its stack, and may have lines too many. Where the kernel
 * shows no such file (a process that is not dumpable, as after setuid), there is no backtrace. The
 * watchdog's thread keeps no file descriptor of the process open. */
#ifndef HUBBUB_DEBUG_WATCHDOG_H
#define HUBBUB_DEBUG_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* Sets the time in nanoseconds after which hubs of this process are reported, for all hubs; 0 or
 * less turns reports off. Before the first call HUBBUB_WATCHDOG counts.
 * Switches: no.  Thread: any.  Errors: none. */
void hub_watchdog(int64_t nanoseconds);

/* Between a call with true and one with false, this thread's hub is not reported: for code that is
 * known to block.
 * Switches: no.  Thread: one that runs a hub.  Errors: none. */
void hub_expect_blocking(bool is_expected);

HUBBUB_API_END

#endif
