/* Semaphores: permits go to those who wait, in order, and none is lost or made. */
#include <errno.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_semaphore semaphore;

static void *
acquire_and_say(void *argument)
{
	if (hub_semaphore_acquire(&semaphore) == 0)
		trace_say("%s", (char *)argument);
	return NULL;
}

static void *
fair_body(void *argument)
{
	hub_semaphore_init(&semaphore, 0);
	hub_detach(hub_spawn(acquire_and_say, "first"));
	hub_detach(hub_spawn(acquire_and_say, "second"));
	hub_detach(hub_spawn(acquire_and_say, "third"));
	hub_sleep(0);
	hub_semaphore_release(&semaphore);
	/* It is on its way to the first; who comes now does not get it. */
	trace_call("try", hub_semaphore_try_acquire(&semaphore));
	for (int i = 0; i < 2; i++)
		hub_semaphore_release(&semaphore);
	hub_sleep(0);
	return argument;
}

Test(semaphore, hands_over_in_order_and_nobody_barges_in)
{
	in_hub(fair_body, NULL);
	cr_assert_str_eq(trace_text(), "try EAGAIN, first, second, third");
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *killed, *other;

	hub_semaphore_init(&semaphore, 0);
	killed = hub_spawn(acquire_and_say, "the killed one");
	other = hub_spawn(acquire_and_say, "the other one");
	hub_sleep(0);
	hub_kill(killed);
	hub_semaphore_release(&semaphore);
	hub_join(killed, NULL);
	hub_join(other, NULL);
	return argument;
}

Test(semaphore, a_permit_is_not_lost_on_one_that_was_killed)
{
	in_hub(killed_body, NULL);
	cr_assert_str_eq(trace_text(), "the other one");
	cr_assert_eq(semaphore.count, 0);
}

static void *
timeout_body(void *argument)
{
	struct hub_timeout scope;

	hub_semaphore_init(&semaphore, 1);
	trace_call("acquire", hub_semaphore_acquire(&semaphore));
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("acquire in a scope", hub_semaphore_acquire(&semaphore));
	hub_timeout_stop(&scope);
	trace_call("release", hub_semaphore_release(&semaphore));
	trace_call("try", hub_semaphore_try_acquire(&semaphore));
	return argument;
}

Test(semaphore, one_that_times_out_takes_none)
{
	in_hub(timeout_body, NULL);
	cr_assert_str_eq(trace_text(), "acquire 0, acquire in a scope ETIMEDOUT, release 0, try 0");
}

Test(semaphore, a_bounded_one_refuses_what_is_too_much)
{
	hub_semaphore_init_bounded(&semaphore, 2);
	cr_assert_eq(hub_semaphore_release(&semaphore), -1);
	cr_assert_eq(errno, EOVERFLOW);
	cr_assert_eq(hub_semaphore_try_acquire(&semaphore), 0);
	cr_assert_eq(hub_semaphore_release(&semaphore), 0);
	hub_semaphore_init(&semaphore, 0);
	cr_assert_eq(hub_semaphore_release(&semaphore), 0, "an unbounded one may grow");
}

Test(semaphore, tells_how_many_are_free)
{
	hub_semaphore_init(&semaphore, 2);
	cr_assert_eq(hub_semaphore_count(&semaphore), 2);
	cr_assert_eq(hub_semaphore_try_acquire(&semaphore), 0);
	cr_assert_eq(hub_semaphore_count(&semaphore), 1);
}
