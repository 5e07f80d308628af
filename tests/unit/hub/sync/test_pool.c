#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	int running, highest, ends;
	int errors[8];
	void *results[16];
	struct hub_failure failures[16];
	struct hub_pool pool;
	int count;
};

static struct record *current;

static void *
work(void *argument)
{
	if (++current->running > current->highest)
		current->highest = current->running;
	hub_sleep(HUB_MILLISECOND);
	current->running--;
	current->ends++;
	return argument;
}

static void *
bound_body(void *argument)
{
	current = argument;
	hub_pool_init(&current->pool, 3);
	for (int i = 0; i < 10; i++)
		hub_pool_spawn(&current->pool, work, NULL);
	while (hub_pool_try_spawn(&current->pool, work, NULL) != NULL)
		current->count++;
	current->errors[0] = errno;
	current->errors[1] = (int)hub_pool_count(&current->pool);
	current->errors[2] = (int)hub_pool_free_count(&current->pool);
	current->errors[3] = hub_pool_wait(&current->pool);
	current->errors[4] = hub_pool_join(&current->pool);
	current->errors[5] = (int)hub_pool_free_count(&current->pool);
	hub_pool_spawn(&current->pool, work, NULL);
	hub_pool_kill(&current->pool);
	hub_pool_join(&current->pool);
	current->errors[6] = (int)hub_pool_free_count(&current->pool);
	return NULL;
}

Test(pool, only_so_many_run_and_slots_come_back)
{
	struct record record = {0};

	in_hub(bound_body, &record);
	cr_assert_eq(record.highest, 3);
	cr_assert_eq(record.ends, 10 + record.count);
	cr_assert_eq(record.errors[0], EAGAIN);
	cr_assert_eq(record.errors[1], 3);
	cr_assert_eq(record.errors[2], 0);
	cr_assert_eq(record.errors[3], 0);
	cr_assert_eq(record.errors[4], 0);
	cr_assert_eq(record.errors[5], 3);
	cr_assert_eq(record.errors[6], 3);
}

static void *
square(void *argument)
{
	intptr_t number = (intptr_t)argument;

	/* Later ones end first. */
	hub_sleep((10 - number) * HUB_MILLISECOND);
	if (number == 3)
		return hub_fail(ERANGE, "no %ld", (long)number);
	return (void *)(number * number);
}

static void *
inner_apply(void *argument)
{
	void *result = NULL;
	struct hub_failure failure;

	/* Of the same, full, pool. */
	current->errors[3] = hub_pool_apply(&current->pool, square, argument, &result, &failure);
	return result;
}

static void *
map_body(void *argument)
{
	void *arguments[6];

	current = argument;
	for (intptr_t i = 0; i < 6; i++)
		arguments[i] = (void *)i;
	hub_pool_init(&current->pool, 4);
	current->errors[0] = hub_pool_map(&current->pool, square, arguments, 6, current->results,
				     &current->failures[0]) == -1
				     ? errno
				     : 0;
	current->errors[1] = hub_pool_map(
		&current->pool, square, arguments, 3, current->results + 8, &current->failures[1]);
	hub_pool_init(&current->pool, 1);
	current->errors[2] = hub_pool_apply(&current->pool, inner_apply, (void *)5,
		&current->results[15], &current->failures[2]);
	return NULL;
}

Test(pool, map_keeps_the_order_and_tells_the_first_failure)
{
	struct record record = {0};

	in_hub(map_body, &record);
	cr_assert_eq(record.errors[0], ERANGE);
	cr_assert_eq(record.failures[0].code, ERANGE);
	cr_assert_str_eq(record.failures[0].text, "no 3");
	for (intptr_t i = 0; i < 6; i++)
		cr_assert_eq(record.results[i], (void *)(i == 3 ? 0 : i * i));
	cr_assert_eq(record.errors[1], 0);
	cr_assert_eq(record.results[10], (void *)4);
	cr_assert_eq(record.errors[2], 0, "apply inside of the pool: %d", record.errors[2]);
	cr_assert_eq(record.results[15], (void *)25);
}

static void *
interrupted_body(void *argument)
{
	void *arguments[3] = {0};
	struct hub_timeout scope;

	current = argument;
	hub_pool_init(&current->pool, 2);
	hub_timeout_start(&scope, HUB_MILLISECOND / 2);
	current->errors[0] = hub_pool_map(&current->pool, work, arguments, 3, current->results,
				     &current->failures[0]) == -1
				     ? errno
				     : 0;
	current->errors[1] = hub_timeout_stop(&scope);
	current->errors[2] = (int)hub_pool_count(&current->pool);
	return NULL;
}

Test(pool, a_map_that_times_out_leaves_nothing_running)
{
	struct record record = {0};

	in_hub(interrupted_body, &record);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
	cr_assert_eq(record.failures[0].code, 0);
	cr_assert_eq(record.errors[1], true);
	cr_assert_eq(record.errors[2], 0);
}

/* ---- what has failed leaves nothing ---- */

/* Fails, and returns something all the same. */
static void *
fail_with_value(void *argument)
{
	hub_fail(EIO, "this one fails");
	return argument;
}

static void *
map_in_pool(void *argument)
{
	void *arguments[2] = {argument, argument};

	current->results[0] = current->results[1] = current->results[2] = "stale";
	hub_pool_map(&current->pool, fail_with_value, arguments, 2, current->results,
		&current->failures[0]);
	hub_pool_apply(&current->pool, fail_with_value, argument, &current->results[2],
		&current->failures[1]);
	return NULL;
}

static void *
map_when_killed(void *argument)
{
	void *arguments[1] = {argument};

	current->results[3] = current->results[4] = "stale";
	hub_kill(hub_current());
	hub_pool_map(
		&current->pool, square, arguments, 1, &current->results[3], &current->failures[2]);
	hub_pool_apply(
		&current->pool, square, argument, &current->results[4], &current->failures[2]);
	return NULL;
}

static void *
stale_body(void *argument)
{
	current = argument;
	hub_pool_init(&current->pool, 3);
	hub_pool_spawn(&current->pool, map_in_pool, "value");
	hub_pool_join(&current->pool);
	hub_join(hub_spawn(map_when_killed, NULL), NULL);
	return NULL;
}

Test(pool, leaves_no_result_of_what_has_failed)
{
	struct record record = {0};

	in_hub(stale_body, &record);
	for (int i = 0; i < 5; i++)
		cr_expect_null(record.results[i], "result %d", i);
	cr_assert_eq(record.failures[0].code, EIO);
	cr_assert_eq(record.failures[1].code, EIO);
}

/* ---- failures that nobody asks for ---- */

static void *
take_no_failure(void *argument)
{
	int *errors = argument;
	void *arguments[] = {(void *)1, (void *)2}, *results[2];
	struct hub_pool pool;

	hub_pool_init(&pool, 2);
	errors[0] = hub_get(hub_spawn(fail_with_value, NULL), NULL, NULL) == -1 ? errno : 0;
	errors[1] =
		hub_pool_map(&pool, fail_with_value, arguments, 2, results, NULL) == -1 ? errno : 0;
	errors[2] = hub_pool_apply(&pool, fail_with_value, NULL, NULL, NULL) == -1 ? errno : 0;
	return argument;
}

Test(pool, failures_need_not_be_taken)
{
	int errors[3] = {0};

	in_hub(take_no_failure, errors);
	cr_assert_eq(errors[0], EIO);
	cr_assert_eq(errors[1], EIO);
	cr_assert_eq(errors[2], EIO);
}
