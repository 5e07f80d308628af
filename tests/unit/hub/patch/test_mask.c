/* Signal masks of coroutines that wait with their own, and of a thread that is none of ours. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void
handle(int number)
{
	(void)number;
}

/* Which of the two signals of these tests, and of SIGCHLD, is in the set. */
static void
note_mask(const char *name, const sigset_t *set)
{
	trace_say("%s%s%s%s", name, sigismember(set, SIGUSR1) ? " USR1" : "",
		sigismember(set, SIGUSR2) ? " USR2" : "", sigismember(set, SIGCHLD) ? " CHLD" : "");
}

static void *
wait_masked(void *argument)
{
	struct timespec timeout = {20, 0};
	sigset_t none;

	sigemptyset(&none);
	trace_call("ppoll", ppoll(NULL, 0, &timeout, &none));
	return argument;
}

static void *
mask_and_wait(void *argument)
{
	struct sigaction action = {.sa_handler = handle};
	struct hub_coroutine *waiter;
	sigset_t one, now;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	trace_error("block", pthread_sigmask(SIG_BLOCK, &one, NULL));
	waiter = hub_spawn(wait_masked, NULL);
	until_it_waits(waiter);
	kill(getpid(), SIGUSR1);
	hub_join(waiter, NULL);
	sigemptyset(&now);
	trace_call("unblock", sigprocmask(SIG_UNBLOCK, &one, &now));
	note_mask("blocked was", &now);
	trace_error("how 77", pthread_sigmask(77, &one, NULL));
	trace_call("how 77", sigprocmask(77, &one, NULL));
	return argument;
}

Test(mask, one_that_waits_with_a_mask_lets_signals_in)
{
	hub_patch_all();
	in_hub(mask_and_wait, NULL);
	EXPECT_TRACE("block 0, ppoll EINTR, unblock 0, blocked was USR1, how 77 EINVAL, "
		     "how 77 EINVAL");
}

/* ---- the others' masks, while one waits with its own ---- */

static void *
wait_a_while(void *argument)
{
	struct timespec timeout = {0, 30000000};
	sigset_t none;

	sigemptyset(&none);
	ppoll(NULL, 0, &timeout, &none);
	return argument;
}

static void *
start_shell(void *argument)
{
	trace_call("system", system("sleep 0.01"));
	return argument;
}

static void *
change_masks(void *argument)
{
	struct hub_coroutine *waiter, *shell;
	sigset_t first, second, seen, now;

	sigemptyset(&first);
	sigaddset(&first, SIGUSR1);
	sigemptyset(&second);
	sigaddset(&second, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &first, NULL);
	waiter = hub_spawn(wait_a_while, NULL);
	until_it_waits(waiter);
	trace_call("block", sigprocmask(SIG_BLOCK, &second, &seen));
	note_mask("blocked was", &seen);
	trace_error("how 77", pthread_sigmask(77, &second, NULL));
	hub_join(waiter, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	note_mask("blocked is", &now);
	pthread_sigmask(SIG_SETMASK, &seen, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	note_mask("blocked is", &now);
	/* The shell's SIGCHLD is held back when the wait begins, and not when it ends. */
	shell = hub_spawn(start_shell, NULL);
	until_it_waits(shell);
	waiter = hub_spawn(wait_a_while, NULL);
	hub_join(shell, NULL);
	hub_join(waiter, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	note_mask("blocked is", &now);
	return argument;
}

Test(mask, one_that_waits_with_a_mask_leaves_the_others_theirs)
{
	hub_patch_all();
	in_hub(change_masks, NULL);
	EXPECT_TRACE("block 0, blocked was USR1, how 77 EINVAL, blocked is USR1 USR2, "
		     "blocked is USR1, system 0, blocked is USR1");
}

/* ---- the hub's own, where threads are coroutines; which AddressSanitizer has no notion of ---- */

#ifndef __SANITIZE_ADDRESS__

static void *
be_there(void *argument)
{
	usleep(100000);
	return argument;
}

static void *
send_to_nobody(void *argument)
{
	int file = open("/proc/self/exe", O_RDONLY), ends[2];

	pipe(ends);
	close(ends[0]);
	trace_call("hub_sendfile", hub_sendfile(ends[1], file, NULL, 5));
	close(ends[1]);
	close(file);
	return argument;
}

Test(mask, the_hub_keeps_sigpipe_from_all_threads)
{
	pthread_t others[2];

	hub_patch(HUB_PATCH_ALL | HUB_PATCH_CREATE);
	pthread_create(&others[0], NULL, be_there, NULL);
	pthread_create(&others[1], NULL, send_to_nobody, NULL);
	pthread_join(others[1], NULL);
	pthread_join(others[0], NULL);
	EXPECT_TRACE("hub_sendfile EPIPE");
}
#endif
