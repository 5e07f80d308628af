/* A timer of each thread, which sends that thread a real-time signal that the program does not use.
 * The handler does nothing: being called interrupts the system call, since the handler is installed
 * without SA_RESTART. The timer lasts as long as its thread. */
#include "hub/patch/brief_priv.h"

#include <errno.h>
#include <hubbub/fork.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/real_priv.h"

/* The timer may be due before the call has begun: so it is due again. */
#define FIRST 50000    /* nanoseconds */
#define AGAIN 1000000L /* the same */

/* The signal that interrupts, of all threads; 0 before it is chosen. */
static atomic_int chosen;

/* The thread's timer. A forked child has no timers. */
static _Thread_local struct own {
	timer_t timer;
	pid_t thread; /* that made it and gets its signal; 0: no timer */
	int signal;
} own;
static pthread_key_t key;

/* The handler: being called is all that it is for. */
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

/* Takes the highest real-time signal that has no handler and is not among others. Returns 0 if
 * there is none. */
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

/* The signal to use: one that the program does not, and may install a handler for at any time. A
 * signal that the thread blocks may be awaited by sigwait(3) or signalfd(2), without a handler: it
 * is avoided, unless the thread blocks all. Returns 0 if there is none. */
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

/* Blocks or unblocks the signal. Returns whether it was blocked before. */
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

/* At a thread's end. */
static void
delete_timer(void *timer)
{
	struct own *ended = timer;

	/* Not in a forked child, where the timer's id may be that of a timer of the program's. */
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

/* Sees to it that this thread has a timer for that signal. Returns false if it has none. */
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
	/* A child of vfork(2) would leave a timer to its parent that the parent cannot use. */
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
	/* When this returns, the timer's signal has come, or comes no more. */
	set_timer(0, 0);
	if (brief->was_blocked)
		set_blocked(brief->signal, true);
	errno = error;
}
