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

static int results[16], errors[16];
static volatile sig_atomic_t ran, ticks_in_handler;
static int ticks;
static bool has_ended;

#define NOTE(index, expression)                                                                    \
	do {                                                                                       \
		errno = 0;                                                                         \
		results[index] = (int)(expression);                                                \
		errors[index] = errno;                                                             \
	} while (0)

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
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	query = (struct pollfd){ends[0], POLLIN, 0};
	install(SIGUSR1, handle, 0);
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(0, read(ends[0], &byte, 1));
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(1, nanosleep(&time, &left));
	NOTE(2, left.tv_sec);
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(3, sleep(20));
	install(SIGUSR1, handle, SA_RESTART);
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(4, poll(&query, 1, 20000));
	hub_detach(hub_spawn(signal_later, hub_current()));
	hub_detach(hub_spawn(signal_later, hub_current()));
	write(ends[1], "x", 1);
	NOTE(5, read(ends[0], &byte, 1));
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
	cr_expect(results[0] == -1 && errors[0] == EINTR, "read: %d %d", results[0], errors[0]);
	cr_expect(results[1] == -1 && errors[1] == EINTR, "nanosleep");
	cr_expect(results[2] == 19, "it tells what is left: %d", results[2]);
	cr_expect(results[3] == 19 || results[3] == 20, "sleep, too: %d", results[3]);
	cr_expect(results[4] == -1 && errors[4] == EINTR, "poll is never restarted");
	cr_expect_eq(results[5], 1, "what is restarted is not interrupted");
	cr_expect_geq(ran, 4);
}

static void *
read_restarted(void *argument)
{
	char byte;

	NOTE(0, read(*(int *)argument, &byte, 1));
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
	cr_expect_eq(results[0], 1);
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
	NOTE(0, read(ends[0], &byte, 1));
	raise(SIGUSR1);
	hub_detach(hub_spawn(write_later, &ends[1]));
	NOTE(1, read(ends[0], &byte, 1));
	raise(SIGUSR1);
	raise(SIGUSR1);
	NOTE(2, usleep(10000));
	install(SIGUSR1, handle, SA_RESTART);
	raise(SIGUSR1);
	hub_detach(hub_spawn(write_later, &ends[1]));
	NOTE(3, poll(&query, 1, 20000));
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, a_handler_that_ran_before_a_call_does_not_interrupt_it)
{
	hub_patch_all();
	in_hub(call_after_handlers, NULL);
	cr_expect(results[0] == -1 && errors[0] == EINTR, "%d %d", results[0], errors[0]);
	cr_expect_eq(results[1], 1, "read: %d %d", results[1], errors[1]);
	cr_expect_eq(results[2], 0, "usleep: %d %d", results[2], errors[2]);
	cr_expect_eq(results[3], 1, "poll: %d %d", results[3], errors[3]);
}

static void *
take_lock(void *argument)
{
	NOTE(4, flock(*(int *)argument, LOCK_EX));
	return NULL;
}

/* While a lock is tried, a handler runs at any time. */
static void *
raise_while_trying(void *argument)
{
	char path[64];
	int holder = open("/tmp", O_TMPFILE | O_RDWR, 0600), fd;
	struct hub_coroutine *taker;

	snprintf(path, sizeof path, "/proc/self/fd/%d", holder);
	fd = open(path, O_RDWR);
	flock(holder, LOCK_EX);
	install(SIGUSR1, handle, 0);
	for (int i = 0; i < 40; i++) {
		int64_t end;

		taker = hub_spawn(take_lock, &fd);
		until_it_waits(taker);
		/* It is due, and does not run yet. */
		end = hub_now() + 20 * HUB_MILLISECOND;
		while (hub_now() < end)
			continue;
		raise(SIGUSR1);
		hub_join(taker, NULL);
		results[5] += results[4] == -1 && errors[4] == EINTR;
	}
	close(fd);
	close(holder);
	return argument;
}

Test(interrupt, a_handler_that_runs_between_two_tries_ends_the_call)
{
	hub_patch_all();
	in_hub(raise_while_trying, NULL);
	cr_expect_eq(results[5], 40);
}

/* ---- the signal functions of other standards ---- */

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void *
be_interrupted_by_others(void *argument)
{
	int ends[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	NOTE(0, __sysv_signal(SIGUSR1, handle) == SIG_DFL);
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(1, read(ends[0], &byte, 1));
	/* It was for one signal only. */
	NOTE(2, __sysv_signal(SIGUSR1, handle) == SIG_DFL);
	NOTE(3, sysv_signal(SIGUSR1, handle) == handle);
	NOTE(4, sigset(SIGUSR1, handle) == handle);
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(5, read(ends[0], &byte, 1));
	NOTE(6, sigset(SIGUSR1, SIG_HOLD) == handle);
	raise(SIGUSR1);
	NOTE(7, ran);
	NOTE(8, sigset(SIGUSR1, handle) == SIG_HOLD);
	NOTE(9, ran);
	NOTE(10, sigset(SIGUSR1, SIG_DFL) == handle);
	NOTE(11, sigset(0, handle) == SIG_ERR);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, handlers_of_every_standards_signal_interrupt)
{
	static const int expected[] = {1, -1, 1, 1, 1, -1, 1, 2, 1, 3, 1, 1};

	hub_patch_all();
	in_hub(be_interrupted_by_others, NULL);
	for (int i = 0; i < 12; i++)
		cr_expect_eq(results[i], expected[i], "%d: %d", i, results[i]);
	cr_expect_eq(errors[1], EINTR);
	cr_expect_eq(errors[5], EINTR);
	cr_expect_eq(errors[11], EINVAL);
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

static void *
tick(void *argument)
{
	while (!has_ended) {
		ticks++;
		hub_sleep(0);
	}
	return argument;
}

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
	struct hub_coroutine *other = hub_spawn(tick, NULL);
	int before;

	hub_sleep(0);
	ticks_in_handler = -1;
	signal(SIGUSR1, handle_and_wait);
	raise(SIGUSR1);
	results[0] = ticks_in_handler;
	before = ticks;
	usleep(2000);
	results[1] = ticks - before;
	signal(SIGUSR1, jump_out);
	if (sigsetjmp(out, 1) == 0)
		raise(SIGUSR1);
	before = ticks;
	usleep(2000);
	results[2] = ticks - before;
	has_ended = true;
	hub_join(other, NULL);
	return argument;
}

Test(interrupt, in_a_handler_calls_are_libcs_and_after_it_not)
{
	hub_patch_all();
	in_hub(call_in_handler, NULL);
	cr_expect_eq(results[0], 0, "nobody runs while a handler does");
	cr_expect_gt(results[1], 0);
	cr_expect_gt(results[2], 0, "also after one that was left by longjmp");
}

/* ---- masks ---- */

static void *
wait_with_mask(void *argument)
{
	struct timespec time = {20, 0};
	sigset_t block, none, now;
	int ends[2];
	struct pollfd query;
	struct hub_coroutine *sleeper = hub_spawn(tick, NULL);

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	query = (struct pollfd){ends[0], POLLIN, 0};
	install(SIGUSR1, handle, 0);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &block, NULL);
	/* It is pending already. */
	raise(SIGUSR1);
	NOTE(0, ppoll(&query, 1, &time, &none));
	results[1] = ran;
	/* It comes. */
	hub_detach(hub_spawn(signal_later, hub_current()));
	NOTE(2, pselect(0, NULL, NULL, NULL, &time, &none));
	results[3] = ran;
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	results[4] = sigismember(&now, SIGUSR1);
	has_ended = true;
	hub_join(sleeper, NULL);
	close(ends[0]);
	close(ends[1]);
	return argument;
}

Test(interrupt, waits_with_a_mask_let_signals_in)
{
	hub_patch_all();
	in_hub(wait_with_mask, NULL);
	cr_expect(results[0] == -1 && errors[0] == EINTR, "%d %d", results[0], errors[0]);
	cr_expect_eq(results[1], 1);
	cr_expect(results[2] == -1 && errors[2] == EINTR, "%d %d", results[2], errors[2]);
	cr_expect_eq(results[3], 2);
	cr_expect_eq(results[4], 1, "the mask is as it was");
}
