#include "hub/patch/brief_priv.h"

#include <errno.h>
#include <hubbub/fork.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/real_priv.h"

/* The timer may be due before the call has begun: so it comes again. */
#define FIRST 50000    /* nanoseconds */
#define AGAIN 1000000L /* the same */

/* The signal that interrupts; 0 before it is chosen. */
static atomic_int chosen;

/* Each thread keeps its timer; a child has none of them. */
static _Thread_local struct own {
	timer_t timer;
	pid_t thread; /* that it was made in, and for; 0 for none */
	int signal;
} own;
static pthread_key_t key;

/* That it is called is all: it has no SA_RESTART. */
static void
interrupt(int number)
{
	(void)number;
}

static bool
is_ours(int number)
{
	struct sigaction action;

	return number != 0 && REAL(sigaction)(number, NULL, &action) == 0 &&
	       action.sa_handler == interrupt;
}

/* Takes the highest one that has no handler and is not among those. Returns 0 if there is none. */
static int
take_free(const sigset_t *others)
{
	struct sigaction action = {.sa_handler = interrupt}, before;

	sigfillset(&action.sa_mask);
	for (int number = SIGRTMAX; number >= SIGRTMIN; number--)
		if (!sigismember(others, number) && REAL(sigaction)(number, NULL, &before) == 0 &&
			before.sa_handler == SIG_DFL && REAL(sigaction)(number, &action, NULL) == 0)
			return number;
	return 0;
}

/* One that the program has no use for; it may take it any time. What a thread blocks may be awaited
 * by sigwait(3) or signalfd(2), and have no handler for that: not that one, unless it blocks all.
 * Returns 0 if there is none. */
static int
choose_signal(void)
{
	int number = atomic_load(&chosen);
	sigset_t blocked;

	if (is_ours(number))
		return number;
	REAL(pthread_sigmask)(SIG_BLOCK, NULL, &blocked);
	number = take_free(&blocked);
	if (number == 0) {
		sigemptyset(&blocked);
		number = take_free(&blocked);
	}
	if (number != 0)
		atomic_store(&chosen, number);
	return number;
}

/* Whether the signal was blocked before. */
static bool
set_blocked(int number, bool is_blocked)
{
	sigset_t one, before;

	sigemptyset(&one);
	sigaddset(&one, number);
	REAL(pthread_sigmask)(is_blocked ? SIG_BLOCK : SIG_UNBLOCK, &one, &before);
	return sigismember(&before, number);
}

static void
forget(void)
{
	own.thread = 0;
}

/* At the end of a thread. */
static void
delete_timer(void *timer)
{
	struct own *ended = timer;

	/* Not in a child: there the number may be that of one of the program's. */
	if (ended->thread != 0)
		timer_delete(ended->timer);
	ended->thread = 0;
}

static __attribute__((constructor)) void
start(void)
{
	REAL(pthread_key_create)(&key, delete_timer);
	pthread_atfork(NULL, NULL, forget);
}

/* Returns false if there is no timer for that signal. */
static bool
make_timer(int number)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};

	if (number == 0 || (own.thread != 0 && own.signal == number))
		return number != 0;
	if (own.thread != 0)
		timer_delete(own.timer);
	own = (struct own){.thread = gettid(), .signal = number};
	event._sigev_un._tid = own.thread;
	if (timer_create(CLOCK_MONOTONIC, &event, &own.timer) != 0) {
		own.thread = 0;
		return false;
	}
	REAL(pthread_setspecific)(key, &own);
	return true;
}

static void
set_timer(long first, long again)
{
	struct itimerspec times = {{0, again}, {0, first}};

	timer_settime(own.timer, 0, &times, NULL);
}

void
brief_begin(struct brief *brief)
{
	/* What a child of vfork makes is not its parent's to use. */
	int number = hub_is_vforked() ? 0 : choose_signal();

	*brief = (struct brief){.is_timed = make_timer(number), .signal = number};
	if (!brief->is_timed)
		return;
	brief->was_blocked = set_blocked(number, false);
	set_timer(FIRST, AGAIN);
}

void
brief_end(struct brief *brief)
{
	int error = errno;

	if (!brief->is_timed)
		return;
	/* Its signal has come by the time that this returns, or comes no more. */
	set_timer(0, 0);
	if (brief->was_blocked)
		set_blocked(brief->signal, true);
	errno = error;
}
