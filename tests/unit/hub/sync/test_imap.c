#include <errno.h>
#include <stdint.h>

#include "tests/support/in_hub.h"

struct record {
	int errors[8];
	void *results[16];
	struct hub_failure failures[16];
	struct hub_pool pool;
	int count;
};

static struct record *current;

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

Test(imap, gives_results_one_by_one_in_either_order)
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

/* ---- an input that fails ---- */

static void *
count_and_fail(void *last)
{
	for (long i = 1; i <= (long)last; i++)
		hub_yield((void *)i);
	return hub_fail(ENOENT, "the generator fails");
}

static bool
next_that_fails(void *number, void **argument)
{
	if (++*(long *)number == 3) {
		hub_fail(EXDEV, "the function fails");
		return false;
	}
	*argument = *(void **)number;
	return true;
}

static void
take_until_end(struct hub_imap *imap, int kind)
{
	while (hub_imap_next(imap, &current->results[kind], &current->failures[kind]) == 1)
		current->count++;
	current->errors[kind] = errno;
	/* And ever after. */
	current->errors[kind + 2] =
		hub_imap_next(imap, &current->results[kind], &current->failures[kind]);
	hub_imap_free(imap);
}

static void *
failing_input_body(void *argument)
{
	struct hub_generator *generator = hub_generator_new(count_and_fail, (void *)2);
	long number = 0;

	current = argument;
	hub_pool_init(&current->pool, 2);
	take_until_end(
		hub_imap_new(&current->pool, square, (bool (*)(void *, void **))hub_generator_next,
			generator, 1, HUB_IMAP_ORDERED),
		0);
	take_until_end(hub_imap_new(&current->pool, square, next_that_fails, &number, 2,
			       HUB_IMAP_AS_THEY_END),
		1);
	hub_generator_free(generator);
	hub_pool_join(&current->pool);
	return NULL;
}

Test(imap, tells_that_its_input_failed)
{
	struct record record = {0};

	in_hub(failing_input_body, &record);
	cr_assert_eq(record.count, 4);
	cr_assert_eq(record.errors[0], ENOENT);
	cr_assert_eq(record.errors[1], EXDEV);
	cr_assert_eq(record.errors[2], -1);
	cr_assert_eq(record.errors[3], -1);
	cr_assert_str_eq(record.failures[0].text, "the generator fails");
	cr_assert_str_eq(record.failures[1].text, "the function fails");
}

/* ---- a failure that nobody asks for ---- */

static void *
fail_at_once(void *argument)
{
	hub_fail(EIO, "this one fails");
	return argument;
}

static void *
take_no_failure(void *outcome)
{
	int number = 0;
	void *result;
	struct hub_imap *imap;
	struct hub_pool pool;

	hub_pool_init(&pool, 2);
	imap = hub_imap_new(&pool, fail_at_once, count_up, &number, 2, HUB_IMAP_ORDERED);
	*(int *)outcome = hub_imap_next(imap, &result, NULL);
	hub_imap_free(imap);
	return NULL;
}

Test(imap, a_failure_need_not_be_taken)
{
	int outcome = 0;

	in_hub(take_no_failure, &outcome);
	cr_assert_eq(outcome, 1);
}
