/* Signal masks of coroutines that wait with their own, and of a thread that is none of ours. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
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
	hub_sleep(HUB_MILLISECOND);
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
