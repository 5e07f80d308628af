#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	int errors[8];
	int ends;
	struct hub_failure failure;
	struct hub_nursery *nursery;
};

static struct record *current;

static void *
sleeper(void *argument)
{
	if (hub_sleep((intptr_t)argument) != 0)
		current->errors[7] = errno;
	current->ends++;
	return NULL;
}

static void *
failing(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	current->ends++;
	return hub_fail((int)(intptr_t)argument, "child failed");
}

static void *
close_body(void *argument)
{
	struct hub_nursery nursery;

	current = argument;
	hub_nursery_open(&nursery);
	for (int i = 0; i < 3; i++)
		hub_nursery_spawn(&nursery, sleeper, (void *)(intptr_t)(i * HUB_MILLISECOND));
	current->errors[0] = hub_nursery_close(&nursery);
	return NULL;
}

Test(nursery, close_waits_for_all)
{
	struct record record = {0};

	in_hub(close_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.ends, 3);
}

static void *
failure_body(void *argument)
{
	struct hub_nursery nursery;

	current = argument;
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	hub_nursery_spawn(&nursery, failing, (void *)EIO);
	current->errors[0] = hub_sleep(HUB_FOREVER) == -1 ? errno : 0;
	current->errors[1] = hub_nursery_spawn(&nursery, sleeper, NULL) == NULL ? errno : 0;
	current->errors[2] = hub_nursery_close(&nursery) == -1 ? errno : 0;
	current->failure = nursery.failure;
	current->errors[3] = hub_sleep(HUB_MILLISECOND) == -1 ? errno : 0;
	return NULL;
}

Test(nursery, a_failure_cancels_the_siblings_and_the_opener_inside)
{
	struct record record = {0};

	in_hub(failure_body, &record);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.errors[1], ECANCELED);
	cr_assert_eq(record.errors[2], EIO);
	cr_assert_str_eq(record.failure.text, "child failed");
	cr_assert_eq(record.errors[3], 0, "the opener stays cancelled");
	cr_assert_eq(record.errors[7], ECANCELED);
	cr_assert_eq(record.ends, 2);
}

static void *
opener(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	current->errors[0] = hub_nursery_close(&nursery) == -1 ? errno : 0;
	return argument;
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *coroutine;
	struct hub_timeout scope;
	struct hub_nursery nursery;

	current = argument;
	coroutine = hub_spawn(opener, NULL);
	until_it_waits(coroutine);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	current->errors[1] = hub_nursery_close(&nursery) == -1 ? errno : 0;
	current->errors[2] = hub_timeout_stop(&scope);
	/* Cancelled before a child has ever run. */
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	hub_nursery_cancel(&nursery);
	current->errors[3] = hub_nursery_close(&nursery);
	return NULL;
}

Test(nursery, children_never_outlive_it_however_it_is_closed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.errors[2], true);
	cr_assert_eq(record.errors[3], 0);
	cr_assert_eq(record.ends, 2);
}

static void *
deadlock_body(void *argument)
{
	struct hub_nursery nursery;

	current = argument;
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleeper, (void *)HUB_FOREVER);
	current->errors[0] = hub_nursery_close(&nursery) == -1 ? errno : 0;
	return NULL;
}

Test(nursery, a_deadlock_ends_the_children)
{
	struct record record = {0};

	in_hub(deadlock_body, &record);
	cr_assert_eq(record.errors[0], EDEADLK);
	cr_assert_eq(record.ends, 1);
}
