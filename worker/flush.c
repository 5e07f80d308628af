/* SIGALRM without SA_RESTART interrupts a write that blocks: stdio then gives up that stream and
 * goes on with the next. The signal is delivered to the process's first thread, so only that thread
 * may call these functions. The former handler, mask and timer are restored. */
#include "worker/flush.h"

#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "hub/base/clock.h"

/* Microseconds: until the first stream is given up, and from one stream to the next. */
#define PATIENCE 300000
#define NEXT 20000

/* Nanoseconds after which flush_before_exit ends the process. */
#define MOST (CLOCK_SECOND / 2)

/* Read by the handler. */
static int64_t end; /* clock at which the process ends; 0: never */
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
	/* A sandbox may allow no timer; without it fflush could block for ever, so the streams are
	 * left as they are. */
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
