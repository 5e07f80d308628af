/* Raw coroutines, which are switched to by hand: values, registers, throws, parents. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_coroutine *first, *second;

static void *
add_one(void *value)
{
	for (;;)
		value = hub_switch(first, (void *)((intptr_t)value + 1));
	return NULL;
}

static void *
drive(void *value)
{
	intptr_t number = (intptr_t)value;

	for (int i = 0; i < 1000; i++)
		number = (intptr_t)hub_switch(second, (void *)number);
	return (void *)number;
}

Test(switch, values_travel_both_ways_without_a_running_hub)
{
	void *result;

	first = hub_new(drive);
	second = hub_new(add_one);
	result = hub_switch(first, (void *)7);
	cr_assert_eq((intptr_t)result, 1007);
	cr_assert(hub_is_done(first));
	cr_assert_not(hub_is_done(second));
	hub_free(first);
	hub_free(second);
}

static void *
give_back(void *value)
{
	return value;
}

Test(switch, a_result_goes_to_the_parent)
{
	struct hub_coroutine *raw = hub_new(give_back);
	int object;

	cr_assert_eq(hub_switch(raw, &object), &object);
	cr_assert(hub_is_done(raw));
	hub_free(raw);
}

static void *
outer_body(void *value)
{
	struct hub_coroutine *inner = hub_new(give_back);
	void *result = hub_switch(inner, value);

	/* It has ended, so this reaches its parent: the running coroutine. */
	result = hub_switch(inner, (void *)((intptr_t)result + 1));
	hub_free(inner);
	return (void *)((intptr_t)result + 1);
}

Test(switch, switching_to_the_dead_reaches_the_parent)
{
	struct hub_coroutine *raw = hub_new(outer_body);

	cr_assert_eq((intptr_t)hub_switch(raw, (void *)1), 3);
	hub_free(raw);
}

static void *
sleep_inside(void *value)
{
	hub_sleep(HUB_MILLISECOND);
	return (void *)((intptr_t)value + 1);
}

static void *
block_body(void *argument)
{
	struct hub_coroutine *raw = hub_new(sleep_inside);

	*(intptr_t *)argument = (intptr_t)hub_switch(raw, (void *)41);
	hub_free(raw);
	return NULL;
}

Test(switch, a_raw_coroutine_may_block_in_a_hub)
{
	intptr_t result = 0;

	in_hub(block_body, &result);
	cr_assert_eq(result, 42);
}

/* What the compiler keeps in registers survives switches, floating point included. */
static void *
disturb(void *value)
{
	for (double x = 1;; x *= 1.5)
		hub_switch(first, (void *)(intptr_t)(x + (double)(intptr_t)value));
	return NULL;
}

static void *
compute(void *value)
{
	double a = 1.25, b = 2.5, c = 3.75, d = 5;
	long i = 3, j = 5, k = 7, l = 11, m = 13, n = 17;

	for (int round = 0; round < 100; round++) {
		hub_switch(second, value);
		a += 0.5, b += 0.25, c -= 0.125, d += a;
		i++, j += 2, k += 3, l += 4, m += 5, n += 6;
	}
	return (void *)(intptr_t)(a == 51.25 && b == 27.5 && c == -8.75 && d == 2655 && i == 103 &&
				  j == 205 && k == 307 && l == 411 && m == 513 && n == 617);
}

Test(switch, registers_survive)
{
	first = hub_new(compute);
	second = hub_new(disturb);
	cr_assert_eq((intptr_t)hub_switch(first, NULL), 1);
	hub_free(first);
	hub_free(second);
}

static void *
switch_to_waiting_body(void *argument)
{
	struct hub_coroutine *scheduled = hub_spawn(sleep_inside, NULL);

	hub_sleep(0);
	hub_switch(scheduled, argument);
	return NULL;
}

Test(switch, switching_to_one_that_waits_is_fatal, .signal = SIGABRT)
{
	hub_run(switch_to_waiting_body, NULL, NULL);
}

static struct hub_coroutine *orphan;

static void *
make_orphan(void *argument)
{
	orphan = hub_new(give_back);
	return argument;
}

static void *
switch_to_orphan(void *argument)
{
	hub_switch(orphan, argument);
	return argument;
}

static void *
orphan_body(void *argument)
{
	struct hub_coroutine *switcher;

	hub_join(hub_spawn(make_orphan, NULL), NULL);
	/* Another coroutine lives where its parent did. */
	hub_detach(hub_spawn(give_back, NULL));
	switcher = hub_spawn(switch_to_orphan, NULL);
	hub_sleep(HUB_MILLISECOND);
	*(bool *)argument = hub_is_done(orphan);
	hub_free(orphan);
	(void)switcher;
	return NULL;
}

Test(switch, the_result_of_one_whose_parent_is_gone_is_lost_and_harms_nobody)
{
	bool is_done = false;

	in_hub(orphan_body, &is_done);
	cr_assert(is_done);
}

static void *
sleep_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
switch_and_wait(void *argument)
{
	hub_switch(argument, NULL);
	return NULL;
}

static void *
free_blocked_body(void *argument)
{
	struct hub_coroutine *raw = hub_new(sleep_for_ever);

	hub_spawn(switch_and_wait, raw);
	hub_sleep(0);
	hub_free(raw);
	return argument;
}

Test(switch, freeing_one_that_blocks_is_fatal, .signal = SIGABRT)
{
	hub_run(free_blocked_body, NULL, NULL);
}

/* ---- throw and parents ---- */

static void
say_value(const char *name, const void *value)
{
	trace_say("%s %s", name, value != NULL ? (const char *)value : "gives nothing");
}

static void *
catcher(void *argument)
{
	void *value = hub_switch(argument, "suspends");

	say_value("the switch inside", value);
	trace_error("thrown at it", hub_thrown());
	trace_error("and again", hub_thrown());
	return "returns";
}

static void *
failing(void *argument)
{
	(void)argument;
	return hub_fail(EIO, "no");
}

static void *
throw_body(void *argument)
{
	struct hub_coroutine *raw = hub_new(catcher), *unstarted = hub_new(catcher),
			     *fails = hub_new(failing);

	say_value("it", hub_switch(raw, hub_current()));
	say_value("it", hub_throw(raw, EBUSY));
	trace_error("thrown by its return", hub_thrown());
	/* One that has not started ends without running, and its parent is thrown it. */
	say_value("the unstarted one", hub_throw(unstarted, EPROTO));
	trace_error("thrown instead of it", hub_thrown());
	trace_whether("done", hub_is_done(unstarted));
	/* At the dead: to the parent, but telling it to end does nothing. */
	hub_throw(raw, EXDEV);
	trace_error("thrown at the dead", hub_thrown());
	hub_throw(raw, ECANCELED);
	trace_error("the end thrown at the dead", hub_thrown());
	/* A failure is thrown at the parent. */
	say_value("the failing one", hub_switch(fails, NULL));
	trace_error("thrown by it", hub_thrown());
	hub_free(raw);
	hub_free(unstarted);
	hub_free(fails);
	return argument;
}

Test(switch, throw_reaches_the_suspended_the_unstarted_and_the_dead)
{
	in_hub(throw_body, NULL);
	cr_assert_str_eq(trace_text(),
		"it suspends, the switch inside gives nothing, thrown at it EBUSY, "
		"and again 0, it returns, thrown by its return 0, "
		"the unstarted one gives nothing, thrown instead of it EPROTO, done, "
		"thrown at the dead EXDEV, the end thrown at the dead 0, "
		"the failing one gives nothing, thrown by it EIO");
}

static void *
plus_one(void *value)
{
	return (void *)((intptr_t)value + 1);
}

Test(switch, a_child_that_ends_starts_its_unstarted_parent)
{
	struct hub_coroutine *child = hub_new(give_back), *parent = hub_new(plus_one);

	cr_assert_eq(hub_set_parent(child, parent), 0);
	cr_assert_eq(hub_parent(child), parent);
	cr_assert_eq(hub_switch(child, (void *)41), (void *)42);
	cr_assert(hub_is_done(parent));
	hub_free(child);
	hub_free(parent);
}

Test(switch, a_failing_child_ends_its_unstarted_parent)
{
	struct hub_coroutine *child = hub_new(failing), *parent = hub_new(plus_one);

	hub_set_parent(child, parent);
	cr_assert_null(hub_switch(child, NULL));
	cr_assert_eq(hub_thrown(), EIO);
	cr_assert(hub_is_done(parent));
	hub_free(child);
	hub_free(parent);
}

struct stranger {
	struct hub_coroutine *foreign;
	int error;
};

static void *
foreign_thread(void *argument)
{
	struct hub_coroutine *own = hub_new(give_back);
	struct stranger *stranger = argument;

	stranger->error = hub_set_parent(own, stranger->foreign) == -1 ? errno : 0;
	hub_free(own);
	return NULL;
}

Test(switch, cycles_and_foreign_parents_are_refused)
{
	struct hub_coroutine *a = hub_new(give_back), *b = hub_new(give_back);
	struct stranger stranger = {.foreign = a};
	pthread_t thread;

	cr_assert_eq(hub_set_parent(a, a), -1);
	cr_assert_eq(errno, ELOOP);
	cr_assert_eq(hub_set_parent(b, a), 0);
	cr_assert_eq(hub_set_parent(a, b), -1);
	cr_assert_eq(errno, ELOOP);
	pthread_create(&thread, NULL, foreign_thread, &stranger);
	pthread_join(thread, NULL);
	cr_assert_eq(stranger.error, EXDEV);
	hub_free(a);
	hub_free(b);
}

static void *
asks_late(void *main)
{
	hub_switch(main, NULL);
	/* Thrown at here, and not asked; then given a value. */
	hub_switch(main, NULL);
	return (void *)(intptr_t)hub_thrown();
}

Test(switch, a_value_that_comes_after_a_throw_is_a_value)
{
	struct hub_coroutine *raw = hub_new(asks_late);

	hub_switch(raw, hub_parent(raw));
	hub_throw(raw, EIO);
	cr_assert_eq(hub_switch(raw, NULL), NULL);
	cr_assert(hub_is_done(raw));
	hub_free(raw);
}
