/* Writing without SIGPIPE by calls that have no flag for it: the signal is blocked in this thread
 * during the call, and consumed after it if it was not pending before. */
#ifndef HUBBUB_IO_SIGPIPE_PRIV_H
#define HUBBUB_IO_SIGPIPE_PRIV_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "hub/base/kernel.h"

struct sigpipe_guard {
	sigset_t before;
	bool was_pending;
};

static inline void
sigpipe_block(struct sigpipe_guard *guard)
{
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	kernel_sigmask(SIG_BLOCK, &pipe, &guard->before);
	guard->was_pending = false;
	/* A signal that was not blocked was not pending. */
	if (sigismember(&guard->before, SIGPIPE)) {
		kernel_sigpending(&pipe);
		guard->was_pending = sigismember(&pipe, SIGPIPE);
	}
}

/* is_raised: the call may have raised the signal, since it failed with EPIPE or sent only a part.
 * Keeps errno. */
static inline void
sigpipe_unblock(const struct sigpipe_guard *guard, bool is_raised)
{
	static const struct timespec now;
	int error = errno;
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (is_raised && !guard->was_pending)
		while (kernel_sigtimedwait(&pipe, NULL, &now) == -1 && errno == EINTR)
			continue;
	kernel_sigmask(SIG_SETMASK, &guard->before, NULL);
	errno = error;
}

#endif
