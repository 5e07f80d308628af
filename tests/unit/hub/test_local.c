#include <errno.h>
#include <stdint.h>

#include "tests/support/in_hub.h"

struct record {
	int key;
	int other;
	void *seen[8];
	intptr_t destroyed;
	int error;
};

static struct record *current;

static void
count_value(void *value)
{
	current->destroyed += (intptr_t)value;
}

static void *
set_and_look(void *argument)
{
	current->seen[(intptr_t)argument] = hub_local_get(current->key);
	hub_local_set(current->key, argument);
	hub_local_set(current->other, argument);
	hub_sleep(0);
	current->seen[2 + (intptr_t)argument] = hub_local_get(current->key);
	return NULL;
}

static void *
local_body(void *argument)
{
	struct hub_coroutine *one, *two;

	current = argument;
	one = hub_spawn(set_and_look, (void *)1);
	two = hub_spawn(set_and_look, (void *)2);
	hub_join(one, NULL);
	hub_join(two, NULL);
	current->error = hub_local_set(HUB_LOCAL_MAX, argument) == -1 ? errno : 0;
	return NULL;
}

Test(local, each_coroutine_has_its_own_and_they_end_with_it)
{
	struct record record = {.seen = {(void *)7, (void *)7, (void *)7}};

	record.other = hub_local_new(NULL);
	record.key = hub_local_new(count_value);
	cr_assert_geq(record.key, 0);
	in_hub(local_body, &record);
	cr_assert_null(record.seen[1]);
	cr_assert_null(record.seen[2]);
	cr_assert_eq(record.seen[3], (void *)1);
	cr_assert_eq(record.seen[4], (void *)2);
	cr_assert_eq(record.destroyed, 3);
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
	current->seen[5] = hub_current();
	hub_defer(count_value, value);
	current->error = hub_sleep(HUB_MILLISECOND);
}

static void *
set_one(void *argument)
{
	hub_local_set(current->key, argument);
	current->seen[6] = hub_current();
	return NULL;
}

static void *
destructor_body(void *argument)
{
	current = argument;
	hub_join(hub_spawn(set_one, (void *)4), NULL);
	return NULL;
}

Test(local, a_destructor_may_block_and_defer)
{
	struct record record = {0};

	record.key = hub_local_new(defer_more);
	in_hub(destructor_body, &record);
	cr_assert_eq(record.seen[5], record.seen[6], "it runs in another coroutine");
	cr_assert_eq(record.error, 0);
	cr_assert_eq(record.destroyed, 4);
}
