/* Signals: handlers, whom they interrupt, and masks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/ticker.h"

static volatile sig_atomic_t ran, ticks_in_handler;

static void
handle(int number)
{
	(void)number;
	ran = ran + 1;
}

static void
install(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void *
signal_later(void *waiter)
{
	until_it_waits(waiter);
	kill(getpid(), SIGUSR1);
	return NULL;
}

static void *
be_interrupted(void *argument)
{
	int ends[2];
	struct pollfd query;
	struct timespec time = {20, 0}, left = {0, 0};
	unsigned left_of_sleep;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	query = (struct pollfd){ends[0], POLLIN, 0};
	install(SIGUSR1, handle, 0);
	hub_detach(hub_spawn(signal_later, hub_current()));
	trace_call("read", read(ends[0], &byte, 1));
	hub_detach(hub_spawn(signal_later, hub_current()));
	trace_call("nanosleep", nanosleep(&time, &left));
	trace_say("leaves %d", (int)left.tv_sec);
	hub_detach(hub_spawn(signal_later, hub_current()));
	left_of_sleep = sleep(20);
	trace_say("%s", left_of_sleep == 19 || left_of_sleep == 20 ? "sleep ends early" : "sleep");
	install(SIGUSR1, handle, SA_RESTART);
	hub_detach(hub_spawn(signal_later, hub_current()));
	/* It is never restarted. */
	trace_call("poll", poll(&query, 1, 20000));
	hub_detach(hub_spawn(signal_later, hub_current()));
	hub_detach(hub_spawn(signal_later, hub_current()));
	write(ends[1], "x", 1);
	trace_call("restarted read", read(ends[0], &byte, 1));
	alarm(0);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

TestSuite(interrupt, .timeout = 60);

Test(interrupt, a_handler_interrupts_who_waits_as_posix_says)
{
	hub_patch_all();
	in_hub(be_interrupted, NULL);
	EXPECT_TRACE("read EINTR, nanosleep EINTR, leaves 19, sleep ends early, poll EINTR, "
		     "restarted read 1");
	cr_expect_geq(ran, 4);
}

static void *
read_restarted(void *argument)
{
	char byte;

	trace_call("read", read(*(int *)argument, &byte, 1));
	return NULL;
}

static void *
restart(void *argument)
{
	int ends[2];
	struct hub_coroutine *reader;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	signal(SIGUSR1, handle);
	reader = hub_spawn(read_restarted, &ends[0]);
	until_it_waits(reader);
	kill(getpid(), SIGUSR1);
	hub_sleep(20 * HUB_MILLISECOND);
	write(ends[1], "x", 1);
	hub_join(reader, NULL);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, signal_installs_what_restarts)
{
	hub_patch_all();
	in_hub(restart, NULL);
	EXPECT_TRACE("read 1");
	cr_expect_eq(ran, 1);
}

/* ---- handlers that ran before a call, and between two waits of one ---- */

static void *
write_later(void *argument)
{
	hub_sleep(10 * HUB_MILLISECOND);
	write(*(int *)argument, "x", 1);
	return NULL;
}

static void *
call_after_handlers(void *argument)
{
	int ends[2];
	struct pollfd query;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	query = (struct pollfd){ends[0], POLLIN, 0};
	install(SIGUSR1, handle, 0);
	/* One that was interrupted: from now on handlers are told of. */
	hub_detach(hub_spawn(signal_later, hub_current()));
	trace_call("read", read(ends[0], &byte, 1));
	raise(SIGUSR1);
	hub_detach(hub_spawn(write_later, &ends[1]));
	trace_call("read", read(ends[0], &byte, 1));
	raise(SIGUSR1);
	raise(SIGUSR1);
	trace_call("usleep", usleep(10000));
	install(SIGUSR1, handle, SA_RESTART);
	raise(SIGUSR1);
	hub_detach(hub_spawn(write_later, &ends[1]));
	trace_call("poll", poll(&query, 1, 20000));
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, a_handler_that_ran_before_a_call_does_not_interrupt_it)
{
	hub_patch_all();
	in_hub(call_after_handlers, NULL);
	EXPECT_TRACE("read EINTR, read 1, usleep 0, poll 1");
}

struct take {
	int fd, result, error;
};

static void *
take_lock(void *argument)
{
	struct take *take = argument;

	take->result = flock(take->fd, LOCK_EX);
	take->error = errno;
	return NULL;
}

/* While a lock is tried, a handler runs at any time. */
static void *
raise_while_trying(void *interrupted)
{
	char path[64];
	int holder = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	struct hub_coroutine *taker;
	struct take take;

	snprintf(path, sizeof path, "/proc/self/fd/%d", holder);
	take.fd = open(path, O_RDWR);
	flock(holder, LOCK_EX);
	install(SIGUSR1, handle, 0);
	for (int i = 0; i < 40; i++) {
		int64_t end;

		taker = hub_spawn(take_lock, &take);
		until_it_waits(taker);
		/* It is due, and does not run yet. */
		end = hub_now() + 20 * HUB_MILLISECOND;
		while (hub_now() < end)
			continue;
		raise(SIGUSR1);
		hub_join(taker, NULL);
		*(int *)interrupted += take.result == -1 && take.error == EINTR;
	}
	close(take.fd);
	close(holder);
	return NULL;
}

Test(interrupt, a_handler_that_runs_between_two_tries_ends_the_call)
{
	int interrupted = 0;

	hub_patch_all();
	in_hub(raise_while_trying, &interrupted);
	cr_expect_eq(interrupted, 40);
}

/* ---- the signal functions of other standards ---- */

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* What the signal was before: as it says, or not. */
static void
was(const char *how, sighandler_t before, sighandler_t expected)
{
	trace_say("%s%s", before == expected ? "" : "not ", how);
}

static void *
be_interrupted_by_others(void *argument)
{
	int ends[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	was("by default", __sysv_signal(SIGUSR1, handle), SIG_DFL);
	hub_detach(hub_spawn(signal_later, hub_current()));
	trace_call("read", read(ends[0], &byte, 1));
	/* It was for one signal only. */
	was("by default", __sysv_signal(SIGUSR1, handle), SIG_DFL);
	was("handled", sysv_signal(SIGUSR1, handle), handle);
	was("handled", sigset(SIGUSR1, handle), handle);
	hub_detach(hub_spawn(signal_later, hub_current()));
	trace_call("read", read(ends[0], &byte, 1));
	was("handled", sigset(SIGUSR1, SIG_HOLD), handle);
	raise(SIGUSR1);
	trace_say("ran %d", (int)ran);
	was("held", sigset(SIGUSR1, handle), SIG_HOLD);
	trace_say("ran %d", (int)ran);
	was("handled", sigset(SIGUSR1, SIG_DFL), handle);
	trace_error("signal 0", sigset(0, handle) == SIG_ERR ? errno : 0);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, handlers_of_every_standards_signal_interrupt)
{
	hub_patch_all();
	in_hub(be_interrupted_by_others, NULL);
	EXPECT_TRACE("by default, read EINTR, by default, handled, handled, read EINTR, handled, "
		     "ran 2, held, ran 3, handled, signal 0 EINVAL");
}

/* ---- the application sees its own handlers ---- */

static void
handle_info(int number, siginfo_t *info, void *context)
{
	(void)context;
	ran = number == SIGUSR2 && info->si_pid == getpid() ? 10 : -1;
}

Test(interrupt, actions_are_shown_as_they_were_set)
{
	struct sigaction action = {.sa_sigaction = handle_info, .sa_flags = SA_SIGINFO}, before;

	hub_patch_all();
	cr_expect_eq(signal(SIGUSR2, handle), SIG_DFL);
	cr_expect_eq(sigaction(SIGUSR2, &action, &before), 0);
	cr_expect_eq(before.sa_handler, handle);
	cr_expect_eq(before.sa_flags & (SA_SIGINFO | SA_RESTART), SA_RESTART);
	cr_expect_eq(sigaction(SIGUSR2, NULL, &before), 0);
	cr_expect_eq(before.sa_sigaction, handle_info);
	cr_expect_neq(before.sa_flags & SA_SIGINFO, 0);
	raise(SIGUSR2);
	cr_expect_eq(ran, 10);
	cr_expect_eq(signal(SIGUSR2, SIG_IGN), (sighandler_t)(void (*)(void))handle_info);
	raise(SIGUSR2);
	cr_expect_eq(signal(SIGUSR2, SIG_DFL), SIG_IGN);
	cr_expect(signal(SIGKILL, handle) == SIG_ERR && errno == EINVAL);
	cr_expect(signal(0, handle) == SIG_ERR && errno == EINVAL);
}

/* ---- calls in handlers ---- */

static void
handle_and_wait(int number)
{
	int before = ticks;

	(void)number;
	usleep(2000);
	ticks_in_handler = ticks - before;
}

static sigjmp_buf out;

static void
jump_out(int number)
{
	(void)number;
	siglongjmp(out, 1);
}

static void *
call_in_handler(void *argument)
{
	int before;

	ticker_start();
	hub_sleep(0);
	ticks_in_handler = -1;
	signal(SIGUSR1, handle_and_wait);
	raise(SIGUSR1);
	trace_say("%d run in a handler", (int)ticks_in_handler);
	before = ticks;
	usleep(2000);
	trace_say(ticks > before ? "others after it" : "nobody after it");
	signal(SIGUSR1, jump_out);
	if (sigsetjmp(out, 1) == 0)
		raise(SIGUSR1);
	before = ticks;
	usleep(2000);
	trace_say(ticks > before ? "others after one that jumped" : "nobody after one that jumped");
	ticker_stop();
	return argument;
}

Test(interrupt, in_a_handler_calls_are_libcs_and_after_it_not)
{
	hub_patch_all();
	in_hub(call_in_handler, NULL);
	EXPECT_TRACE("0 run in a handler, others after it, others after one that jumped");
}

/* ---- masks ---- */

static void *
wait_with_mask(void *argument)
{
	struct timespec time = {20, 0};
	sigset_t block, none, now;
	int ends[2];
	struct pollfd query;

	ticker_start();
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	query = (struct pollfd){ends[0], POLLIN, 0};
	install(SIGUSR1, handle, 0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &block, NULL);
	/* It is pending already. */
	raise(SIGUSR1);
	trace_call("ppoll", ppoll(&query, 1, &time, &none));
	trace_say("ran %d", (int)ran);
	/* It comes. */
	hub_detach(hub_spawn(signal_later, hub_current()));
	trace_call("pselect", pselect(0, NULL, NULL, NULL, &time, &none));
	trace_say("ran %d", (int)ran);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	trace_call("is blocked again", sigismember(&now, SIGUSR1));
	ticker_stop();
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, waits_with_a_mask_let_signals_in)
{
	hub_patch_all();
	in_hub(wait_with_mask, NULL);
	EXPECT_TRACE("ppoll EINTR, ran 1, pselect EINTR, ran 2, is blocked again 1");
}
