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

static bool
count_up(void *input, void **argument)
{
	int *number = input;

	if (*number == 6)
		return false;
	*argument = (void *)(intptr_t)(*number)++;
	return true;
}

static void
take_all(enum hub_imap_order order, void **results)
{
	int number = 0;
	struct hub_imap *imap = hub_imap_new(&current->pool, square, count_up, &number, 3, order);

	current->count = 0;
	while (current->count < 8 && hub_imap_next(imap, &results[current->count],
					     &current->failures[current->count]) == 1)
		current->count++;
	hub_imap_free(imap);
}

static void *
imap_body(void *argument)
{
	int number = 0;
	struct hub_imap *imap;

	current = argument;
	hub_pool_init(&current->pool, 0);
	take_all(HUB_IMAP_ORDERED, current->results);
	current->errors[0] = current->count;
	current->errors[1] = current->failures[3].code;
	take_all(HUB_IMAP_AS_THEY_END, current->results + 8);
	current->errors[2] = current->count;
	/* Left early: nothing stays behind. */
	imap = hub_imap_new(&current->pool, square, count_up, &number, 2, HUB_IMAP_AS_THEY_END);
	hub_sleep(0);
	hub_sleep(0);
	current->errors[3] = number;
	hub_imap_free(imap);
	current->errors[4] = (int)hub_pool_count(&current->pool);
	return NULL;
}

Test(pool, imap_gives_results_one_by_one_in_either_order)
{
	struct record record = {0};

	in_hub(imap_body, &record);
	cr_assert_eq(record.errors[0], 6);
	for (intptr_t i = 0; i < 6; i++)
		cr_assert_eq(record.results[i], (void *)(i == 3 ? 0 : i * i));
	cr_assert_eq(record.errors[1], ERANGE);
	cr_assert_eq(record.errors[2], 6);
	/* Of the first three, which run together, the last ends first. */
	cr_assert_eq(record.results[8], (void *)4);
	cr_assert_eq(record.errors[3], 2, "it runs ahead: %d", record.errors[3]);
	cr_assert_eq(record.errors[4], 0);
}
