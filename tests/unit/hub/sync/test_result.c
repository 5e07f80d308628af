/* Results: how they arrive, who reads them, and that their memory may go then. */
#include <errno.h>
#include <sys/mman.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_result result;

static void *
read_it(void *argument)
{
	void *value = "nothing";

	hub_result_get(&result, &value, NULL);
	trace_say("%s reads '%s'", (char *)argument, (char *)value);
	return NULL;
}

static void *
set_body(void *argument)
{
	struct hub_coroutine *one = hub_spawn(read_it, "one"), *other = hub_spawn(read_it, "other");

	hub_sleep(0);
	trace_call("set", hub_result_set(&result, "it"));
	trace_call("set again", hub_result_set(&result, NULL));
	hub_join(one, NULL);
	hub_join(other, NULL);
	return argument;
}

Test(result, arrives_once_and_is_read_by_all)
{
	in_hub(set_body, NULL);
	cr_assert_str_eq(
		trace_text(), "set 0, set again EALREADY, one reads 'it', other reads 'it'");
}

static void *
fails(void *argument)
{
	(void)argument;
	return hub_fail(EIO, "broken");
}

static void *
link_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(fails, NULL);
	struct hub_failure failure;

	hub_result_link(&result, coroutine);
	trace_call("get", hub_result_get(&result, NULL, &failure));
	trace_say("'%s'", failure.text);
	hub_join(coroutine, NULL);
	hub_result_init(&result);
	hub_result_fail(&result, EPROTO, "line %d", 3);
	trace_call("get", hub_result_get(&result, NULL, NULL));
	trace_say("'%s'", result.failure.text);
	return argument;
}

Test(result, is_a_coroutines_end_or_a_failure)
{
	in_hub(link_body, NULL);
	cr_assert_str_eq(trace_text(), "get EIO, 'broken', get EPROTO, 'line 3'");
}

/* ---- memory that goes as soon as the result has arrived: to touch it after that is fatal ---- */

static struct hub_result *
borrow(void)
{
	return mmap(NULL, sizeof(struct hub_result), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
take_back(struct hub_result *borrowed)
{
	munmap(borrowed, sizeof *borrowed);
}

static void *
sleep_some(void *argument)
{
	hub_sleep(2 * HUB_MILLISECOND);
	return argument;
}

static void *
read_borrowed(void *argument)
{
	struct hub_failure failure = {0};
	void *value = NULL;

	trace_call("get", hub_result_get(argument, &value, &failure));
	trace_say("'%s'", value != NULL ? (char *)value : failure.text);
	return NULL;
}

/* How a result that is linked to a coroutine arrives before that has ended. */
enum arrival { BY_VALUE, BY_FAILURE, BY_ANOTHER, ARRIVALS };

static void *
end_at_once(void *argument)
{
	return argument;
}

static void
arrive_before(enum arrival arrival)
{
	struct hub_result *borrowed = borrow();
	struct hub_coroutine *late = hub_spawn(sleep_some, NULL);
	struct hub_coroutine *early, *getter;

	getter = hub_spawn(read_borrowed, borrowed);
	hub_result_link(borrowed, late);
	hub_sleep(0);
	if (arrival == BY_VALUE) {
		hub_result_set(borrowed, "a value");
	} else if (arrival == BY_FAILURE) {
		hub_result_fail(borrowed, EPROTO, "a failure");
	} else {
		early = hub_spawn(end_at_once, "another's");
		hub_result_link(borrowed, early);
		while (!hub_result_is_set(borrowed))
			hub_sleep(0);
		hub_join(early, NULL);
	}
	/* Once it has arrived, linking is nothing. */
	hub_result_link(borrowed, late);
	take_back(borrowed);
	hub_join(getter, NULL);
	hub_join(late, NULL);
}

static void *
borrowed_body(void *argument)
{
	for (int i = 0; i < ARRIVALS; i++)
		arrive_before((enum arrival)i);
	return argument;
}

Test(result, its_memory_may_go_when_it_has_arrived)
{
	in_hub(borrowed_body, NULL);
	cr_assert_str_eq(
		trace_text(), "get 0, 'a value', get EPROTO, 'a failure', get 0, 'another's'");
}

/* One that gives up waiting sets it, and lets its memory go. */
static void *
give_up_body(void *argument)
{
	struct hub_coroutine *late = hub_spawn(sleep_some, NULL);
	struct hub_result *borrowed = borrow();
	struct hub_timeout scope;

	hub_result_link(borrowed, late);
	hub_timeout_start(&scope, HUB_MICROSECOND);
	trace_call("get", hub_result_get(borrowed, NULL, NULL));
	hub_timeout_stop(&scope);
	hub_result_set(borrowed, NULL);
	take_back(borrowed);
	hub_join(late, NULL);
	return argument;
}

Test(result, who_gives_up_sets_it)
{
	in_hub(give_up_body, NULL);
	cr_assert_str_eq(trace_text(), "get ETIMEDOUT");
}
