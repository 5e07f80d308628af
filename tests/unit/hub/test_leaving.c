#include "hub/leaving_priv.h"

#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *
sleep_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
leave_thread(void *argument)
{
	hub_detach(hub_spawn(sleep_for_ever, NULL));
	hub_sleep(HUB_MILLISECOND);
	pthread_exit(argument);
}

static void *
return_at_once(void *argument)
{
	return argument;
}

static void *
run_and_leave(void *argument)
{
	hub_run(leave_thread, argument, NULL);
	return NULL;
}

/* The watchdog looks at what is left for a while. */
Test(leaving, a_thread_may_leave_in_the_middle_of_its_hub)
{
	struct timespec pause = {0, 300000000};
	pthread_t thread;
	void *result;
	pid_t child;

	for (int i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, run_and_leave, &pause);
		pthread_join(thread, &result);
		cr_expect_eq(result, &pause);
	}
	nanosleep(&pause, NULL);
	cr_assert_eq(hub_run(return_at_once, NULL, NULL), 0);
	child = hub_fork();
	if (child == 0)
		_exit(0);
	cr_assert_gt(child, 0, "no hub runs any more");
	waitpid(child, NULL, 0);
}
