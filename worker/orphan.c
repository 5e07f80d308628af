/* A POSIX timer with SIGKILL needs no running thread of the worker, and SIGCONT no running process.
 * end is the only clock at which the timer fires; the handler and orphan_last_until may both move
 * it, and arm() repeats until the timer is set to the last value. Where a sandbox refuses the
 * timer, self stays 0, and orphan_begin and orphan_last_until do nothing. */
#include "worker/orphan.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "worker/heritage.h"

/* Shared with the signal handler: end is atomic, the rest is set before the handler is
 * installed. */
static pid_t parent, self; /* self is 0 until the timer exists */
static timer_t timer;
static int64_t end; /* clock at which the process is killed; 0 while the master lives */

/* Sets the timer to end. Another thread may change end meanwhile: repeats until the timer has the
 * last value. Async-signal-safe. */
static void
arm(void)
{
	int64_t at;

	do {
		struct itimerspec limit = {0};

		at = __atomic_load_n(&end, __ATOMIC_SEQ_CST);
		limit.it_value.tv_sec = at / CLOCK_SECOND;
		limit.it_value.tv_nsec = at % CLOCK_SECOND;
		timer_settime(timer, TIMER_ABSTIME, &limit, NULL);
	} while (at != __atomic_load_n(&end, __ATOMIC_SEQ_CST));
}

void
orphan_begin(void)
{
	int64_t none = 0;

	if (self != 0 && __atomic_compare_exchange_n(&end, &none, clock_now() + ORPHAN_TIME, false,
				 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		arm();
}

void
orphan_last_until(int64_t time)
{
	CHECK_WHY(time > 0, "0 stands for a master that lives");
	if (self == 0)
		return;
	__atomic_store_n(&end, time, __ATOMIC_SEQ_CST);
	arm();
}

static void
on_continue(int number)
{
	int error = errno;

	(void)number;
	/* A child that the worker forks inherits the handler, but not the timer. */
	if (getppid() != parent && getpid() == self)
		orphan_begin();
	errno = error;
}

int
orphan_prepare(pid_t master)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct sigaction action = {.sa_handler = on_continue, .sa_flags = SA_RESTART | SA_ONSTACK};

	parent = master;
	/* A sandbox may refuse either call; the master has logged what that costs. */
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		self = getpid();
	else if (errno != EPERM && errno != ENOSYS)
		return -1;
	if (sigaction(SIGCONT, &action, NULL) != 0 ||
		(prctl(PR_SET_PDEATHSIG, SIGCONT) != 0 && errno != EPERM && errno != ENOSYS))
		return -1;
	if (getppid() == master)
		return 0;
	return failed(ESRCH);
}

void
orphan_end(void)
{
	/* LeakSanitizer stops the process with ptrace while it looks for leaks, and would wait for
	 * ever if SIGCONT came then. */
	prctl(PR_SET_PDEATHSIG, 0);
}
