/* Events: who is woken, in which order, and who leaves before. */
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_event event;

static void *
wait_and_say(void *argument)
{
	if (hub_event_wait(&event) == 0)
		trace_say("%s", (char *)argument);
	return NULL;
}

static void *
order_body(void *argument)
{
	hub_detach(hub_spawn(wait_and_say, "first"));
	hub_detach(hub_spawn(wait_and_say, "second"));
	hub_detach(hub_spawn(wait_and_say, "third"));
	hub_sleep(0);
	hub_event_set(&event);
	hub_event_clear(&event);
	hub_sleep(0);
	return argument;
}

Test(event, set_wakes_all_in_order_even_if_cleared_at_once)
{
	in_hub(order_body, NULL);
	cr_assert_str_eq(trace_text(), "first, second, third");
}

static void *
set_already_body(void *argument)
{
	hub_event_set(&event);
	trace_call("wait", hub_event_wait(&event));
	hub_event_clear(&event);
	trace_whether("set", event.is_set);
	return argument;
}

Test(event, waiting_for_one_that_is_set_returns_at_once)
{
	in_hub(set_already_body, NULL);
	cr_assert_str_eq(trace_text(), "wait 0, not set");
}

static void *
middle_leaves_body(void *argument)
{
	struct hub_coroutine *first = hub_spawn(wait_and_say, "first"),
			     *second = hub_spawn(wait_and_say, "second"),
			     *third = hub_spawn(wait_and_say, "third");

	hub_sleep(0);
	hub_kill(second);
	hub_sleep(0);
	hub_kill(third);
	hub_event_set(&event);
	hub_join(first, NULL);
	hub_join(second, NULL);
	hub_join(third, NULL);
	return argument;
}

Test(event, a_waiter_that_is_killed_leaves_the_queue_whole)
{
	in_hub(middle_leaves_body, NULL);
	cr_assert_str_eq(trace_text(), "first");
}

Test(event, tells_whether_it_is_set)
{
	cr_assert_not(hub_event_is_set(&event));
	hub_event_set(&event);
	cr_assert(hub_event_is_set(&event));
	hub_event_clear(&event);
	cr_assert_not(hub_event_is_set(&event));
}
