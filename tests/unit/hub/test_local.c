/* Locals: each coroutine has its own, and they end with it. */
#include <errno.h>

#include "tests/support/in_hub.h"

struct record {
	int key;
	int other;
	struct looks {
		void *before, *after; /* it has set its own, and others theirs */
		int destroyed;        /* its own, so many times */
	} one, two;
	struct hub_coroutine *owner, *destroyer;
	int destroyed;
	int error;
};

static struct record *current;

static void
count_end(void *value)
{
	++*(int *)value;
}

/* Its own value is the place where its end is counted. */
static void *
set_and_look(void *argument)
{
	struct looks *looks = argument;

	looks->before = hub_local_get(current->key);
	hub_local_set(current->key, &looks->destroyed);
	hub_local_set(current->other, &looks->destroyed);
	hub_sleep(0);
	looks->after = hub_local_get(current->key);
	return NULL;
}

static void *
local_body(void *argument)
{
	struct hub_coroutine *one, *two;

	current = argument;
	one = hub_spawn(set_and_look, &current->one);
	two = hub_spawn(set_and_look, &current->two);
	hub_join(one, NULL);
	hub_join(two, NULL);
	current->error = hub_local_set(HUB_LOCAL_MAX, argument) == -1 ? errno : 0;
	return NULL;
}

Test(local, each_coroutine_has_its_own_and_they_end_with_it)
{
	struct record record = {.one.before = &record, .two.before = &record};

	record.other = hub_local_new(NULL);
	record.key = hub_local_new(count_end);
	cr_assert_geq(record.key, 0);
	in_hub(local_body, &record);
	cr_assert_null(record.one.before);
	cr_assert_null(record.two.before);
	cr_assert_eq(record.one.after, &record.one.destroyed);
	cr_assert_eq(record.two.after, &record.two.destroyed);
	cr_assert_eq(record.one.destroyed, 1);
	cr_assert_eq(record.two.destroyed, 1);
	cr_assert_eq(record.error, EINVAL);
	cr_assert_null(hub_local_get(record.key));
	cr_assert_eq(hub_local_set(record.key, &record), -1);
	cr_assert_eq(errno, EPERM);
}

Test(local, keys_run_out_with_an_error)
{
	int key = 0;

	for (int i = 0; i <= HUB_LOCAL_MAX && key >= 0; i++)
		key = hub_local_new(NULL);
	cr_assert_eq(key, -1);
	cr_assert_eq(errno, EAGAIN);
}

static void
defer_more(void *value)
{
	current->destroyer = hub_current();
	hub_defer(count_end, value);
	current->error = hub_sleep(HUB_MILLISECOND);
}

static void *
set_one(void *argument)
{
	hub_local_set(current->key, argument);
	current->owner = hub_current();
	return NULL;
}

static void *
destructor_body(void *argument)
{
	current = argument;
	hub_join(hub_spawn(set_one, &current->destroyed), NULL);
	return NULL;
}

Test(local, a_destructor_may_block_and_defer)
{
	struct record record = {0};

	record.key = hub_local_new(defer_more);
	in_hub(destructor_body, &record);
	cr_assert_eq(record.destroyer, record.owner, "it runs in another coroutine");
	cr_assert_eq(record.error, 0);
	cr_assert_eq(record.destroyed, 1);
}
