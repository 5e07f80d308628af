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

static int results[8];

static void
handle(int number)
{
	(void)number;
}

static void *
wait_masked(void *argument)
{
	struct timespec timeout = {20, 0};
	sigset_t none;

	sigemptyset(&none);
	results[0] = ppoll(NULL, 0, &timeout, &none) == -1 && errno == EINTR;
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
	results[1] = pthread_sigmask(SIG_BLOCK, &one, NULL) == 0;
	waiter = hub_spawn(wait_masked, NULL);
	until_it_waits(waiter);
	kill(getpid(), SIGUSR1);
	hub_join(waiter, NULL);
	sigemptyset(&now);
	results[2] = sigprocmask(SIG_UNBLOCK, &one, &now) == 0 && sigismember(&now, SIGUSR1);
	results[3] = pthread_sigmask(77, &one, NULL) == EINVAL;
	results[4] = sigprocmask(77, &one, NULL) == -1 && errno == EINVAL;
	return argument;
}

Test(mask, one_that_waits_with_a_mask_lets_signals_in)
{
	hub_patch_all();
	in_hub(mask_and_wait, NULL);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(results[i], 1, "%d", i);
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
	results[6] = system("sleep 0.01") == 0;
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
	results[0] = sigprocmask(SIG_BLOCK, &second, &seen) == 0;
	results[1] = sigismember(&seen, SIGUSR1) && !sigismember(&seen, SIGUSR2);
	results[2] = pthread_sigmask(77, &second, NULL) == EINVAL;
	hub_join(waiter, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	results[3] = sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &seen, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	results[4] = sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2);
	/* The shell's SIGCHLD is held back when the wait begins, and not when it ends. */
	shell = hub_spawn(start_shell, NULL);
	until_it_waits(shell);
	waiter = hub_spawn(wait_a_while, NULL);
	hub_join(shell, NULL);
	hub_join(waiter, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	results[5] = !sigismember(&now, SIGCHLD);
	return argument;
}

Test(mask, one_that_waits_with_a_mask_leaves_the_others_theirs)
{
	hub_patch_all();
	in_hub(change_masks, NULL);
	for (int i = 0; i < 7; i++)
		cr_expect_eq(results[i], 1, "%d", i);
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
	results[0] = hub_sendfile(ends[1], file, NULL, 5) == -1 && errno == EPIPE;
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
	cr_assert_eq(results[0], 1);
}
#endif
