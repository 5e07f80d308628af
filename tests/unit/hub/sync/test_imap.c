/* Maps that give their results one by one, in either order, and inputs that fail. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_pool pool;

static void *
square(void *argument)
{
	intptr_t number = (intptr_t)argument;

	/* Later ones end first, also if the machine is slow to begin them. */
	hub_sleep((10 - number) * 50 * HUB_MILLISECOND);
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

static void *
ordered_body(void *argument)
{
	int number = 0;
	struct hub_imap *imap;
	struct hub_failure failure;
	void *result;

	hub_pool_init(&pool, 0);
	imap = hub_imap_new(&pool, square, count_up, &number, 3, HUB_IMAP_ORDERED);
	while (hub_imap_next(imap, &result, &failure) == 1)
		if (failure.code != 0)
			trace_say("%s", strerrorname_np(failure.code));
		else
			trace_say("%ld", (long)(intptr_t)result);
	hub_imap_free(imap);
	return argument;
}

Test(imap, gives_results_in_order)
{
	in_hub(ordered_body, NULL);
	cr_assert_str_eq(trace_text(), "0, 1, 4, ERANGE, 16, 25");
}

static void *
as_they_end_body(void *argument)
{
	int number = 0, count = 0;
	struct hub_imap *imap;
	struct hub_failure failure;
	void *result;

	hub_pool_init(&pool, 0);
	imap = hub_imap_new(&pool, square, count_up, &number, 3, HUB_IMAP_AS_THEY_END);
	while (hub_imap_next(imap, &result, &failure) == 1)
		if (count++ == 0)
			trace_say("first %ld", (long)(intptr_t)result);
	trace_say("%d in all", count);
	hub_imap_free(imap);
	return argument;
}

/* Of the first three, which run together, the last ends first. */
Test(imap, gives_results_as_they_end)
{
	in_hub(as_they_end_body, NULL);
	cr_assert_str_eq(trace_text(), "first 4, 6 in all");
}

static void *
left_body(void *argument)
{
	int number = 0;
	struct hub_imap *imap;

	hub_pool_init(&pool, 0);
	imap = hub_imap_new(&pool, square, count_up, &number, 2, HUB_IMAP_AS_THEY_END);
	hub_sleep(0);
	hub_sleep(0);
	trace_say("%d taken", number);
	hub_imap_free(imap);
	trace_say("%zu run", hub_pool_count(&pool));
	return argument;
}

Test(imap, runs_ahead_so_far_and_leaves_nothing_behind)
{
	in_hub(left_body, NULL);
	cr_assert_str_eq(trace_text(), "2 taken, 0 run");
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
take_until_end(struct hub_imap *imap)
{
	struct hub_failure failure;
	void *result;
	int left;

	while ((left = hub_imap_next(imap, &result, &failure)) == 1)
		trace_say("%ld", (long)(intptr_t)result);
	trace_call("next", left);
	trace_say("'%s'", failure.text);
	trace_whether("more", hub_imap_next(imap, &result, &failure) != -1);
	trace_say("'%s'", failure.text);
	hub_imap_free(imap);
}

static void *
failing_input_body(void *argument)
{
	struct hub_generator *generator = hub_generator_new(count_and_fail, (void *)2);
	long number = 0;

	hub_pool_init(&pool, 2);
	take_until_end(hub_imap_new(&pool, square, (bool (*)(void *, void **))hub_generator_next,
		generator, 1, HUB_IMAP_ORDERED));
	take_until_end(
		hub_imap_new(&pool, square, next_that_fails, &number, 2, HUB_IMAP_AS_THEY_END));
	hub_generator_free(generator);
	hub_pool_join(&pool);
	return argument;
}

Test(imap, tells_that_its_input_failed)
{
	in_hub(failing_input_body, NULL);
	cr_assert_str_eq(trace_text(),
		"1, 4, next ENOENT, 'the generator fails', not more, 'the generator fails', 4, "
		"1, next EXDEV, 'the function fails', not more, 'the function fails'");
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
