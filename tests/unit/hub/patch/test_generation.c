/* A number that another thread closes, and makes another's, while a coroutine tries again and again
 * by it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

static struct trial {
	int holder, number, other;
	int result, error;
} trial;

static void *
replace_number(void *argument)
{
	dup2(trial.other, trial.number);
	return argument;
}

static void *
wait_for_lock(void *argument)
{
	trial.result = flock(trial.number, LOCK_EX);
	trial.error = errno;
	return argument;
}

static void *
lose_number(void *argument)
{
	struct hub_coroutine *waiter;
	pthread_t thread;
	char path[64];

	trial.holder = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	trial.other = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	snprintf(path, sizeof path, "/proc/self/fd/%d", trial.holder);
	trial.number = open(path, O_RDWR);
	flock(trial.holder, LOCK_EX);
	waiter = hub_spawn(wait_for_lock, NULL);
	hub_sleep(HUB_MILLISECOND);
	pthread_create(&thread, NULL, replace_number, NULL);
	pthread_join(thread, NULL);
	hub_join(waiter, NULL);
	close(trial.holder);
	close(trial.number);
	close(trial.other);
	return argument;
}

TestSuite(generation, .timeout = 60);

Test(generation, a_lock_is_not_taken_by_a_number_that_became_anothers)
{
	hub_patch_all();
	in_hub(lose_number, NULL);
	cr_expect(trial.result == -1 && trial.error == EBADF, "%d %d", trial.result, trial.error);
}
