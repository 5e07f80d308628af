/* A write that blocks is interrupted by a signal without SA_RESTART, at which stdio gives up that
 * stream and goes on with the next. It comes to the process's first thread, which all who call this
 * are. */
#include "worker/flush.h"

#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "hub/base/clock.h"

/* Microseconds: for all that nobody takes, and between giving up one stream and another. */
#define PATIENCE 300000
#define NEXT 20000

/* Then a process that ends does not wait any more. */
#define MOST (CLOCK_SECOND / 2)

/* The handler's. */
static int64_t end; /* 0: the process goes on */
static int end_code;

static void
on_tick(int number)
{
	(void)number;
	if (end != 0 && clock_now() >= end)
		_exit(end_code);
}

static void
flush(void)
{
	struct sigaction action = {.sa_handler = on_tick}, before;
	struct itimerval ticks = {{0, NEXT}, {0, PATIENCE}}, timer;
	sigset_t ours, mask;

	sigemptyset(&ours);
	sigaddset(&ours, SIGALRM);
	sigaction(SIGALRM, &action, &before);
	pthread_sigmask(SIG_UNBLOCK, &ours, &mask);
	/* Where a sandbox allows no timer it could take for ever, and is left. */
	if (setitimer(ITIMER_REAL, &ticks, &timer) == 0) {
		fflush(NULL);
		setitimer(ITIMER_REAL, &timer, NULL);
	}
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &before, NULL);
}

void
flush_streams(void)
{
	flush();
}

void
flush_before_exit(int code)
{
	end_code = code;
	end = clock_now() + MOST;
	flush();
}
