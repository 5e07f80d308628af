/* Generators: their values, whom they serve, what is thrown at them, and who outlives them. */
#include <errno.h>

#include "tests/support/in_hub.h"

static void *
count_to(void *argument)
{
	intptr_t limit = (intptr_t)argument;

	for (intptr_t i = 1; i <= limit; i++)
		hub_yield((void *)i);
	return (void *)-1;
}

Test(generator, yields_in_order_and_then_its_result_for_ever)
{
	struct hub_generator *generator = hub_generator_new(count_to, (void *)3);
	void *value;

	for (intptr_t i = 1; i <= 3; i++) {
		cr_assert(hub_generator_next(generator, &value));
		cr_assert_eq((intptr_t)value, i);
	}
	for (int i = 0; i < 2; i++) {
		cr_assert_not(hub_generator_next(generator, &value));
		cr_assert_eq((intptr_t)value, -1);
	}
	hub_generator_free(generator);
}

static void *
running_sum(void *argument)
{
	intptr_t sum = (intptr_t)argument;

	for (;;)
		sum += (intptr_t)hub_yield((void *)sum);
	return NULL;
}

Test(generator, send_becomes_the_result_of_yield)
{
	struct hub_generator *generator = hub_generator_new(running_sum, (void *)10);
	void *value;

	/* The first value sent has no yield to receive it. */
	hub_generator_send(generator, (void *)99, &value);
	cr_assert_eq((intptr_t)value, 10);
	hub_generator_send(generator, (void *)5, &value);
	cr_assert_eq((intptr_t)value, 15);
	hub_generator_send(generator, (void *)7, &value);
	cr_assert_eq((intptr_t)value, 22);
	hub_generator_free(generator);
}

static void
walk(int depth)
{
	if (depth == 0)
		return;
	walk(depth - 1);
	hub_yield((void *)(intptr_t)depth);
	walk(depth - 1);
}

static void *
walk_body(void *argument)
{
	walk((int)(intptr_t)argument);
	return NULL;
}

Test(generator, yields_from_nested_calls)
{
	static const intptr_t expected[] = {1, 2, 1, 3, 1, 2, 1};
	struct hub_generator *generator = hub_generator_new(walk_body, (void *)3);
	void *value;

	for (int i = 0; i < 7; i++) {
		cr_assert(hub_generator_next(generator, &value));
		cr_assert_eq((intptr_t)value, expected[i]);
	}
	cr_assert_not(hub_generator_next(generator, &value));
	hub_generator_free(generator);
}

struct shared {
	struct hub_generator *generator;
	int values[4];
	int count;
};

static void *
take_two(void *argument)
{
	struct shared *shared = argument;
	void *value;

	for (int i = 0; i < 2; i++) {
		if (hub_generator_next(shared->generator, &value))
			shared->values[shared->count++] = (int)(intptr_t)value;
		hub_sleep(0);
	}
	return NULL;
}

static void *
two_consumers_body(void *argument)
{
	struct shared *shared = argument;
	struct hub_coroutine *consumers[2];

	shared->generator = hub_generator_new(count_to, (void *)4);
	for (int i = 0; i < 2; i++)
		consumers[i] = hub_spawn(take_two, shared);
	for (int i = 0; i < 2; i++)
		hub_join(consumers[i], NULL);
	hub_generator_free(shared->generator);
	return NULL;
}

Test(generator, serves_coroutines_in_turn)
{
	static const int expected[] = {1, 2, 3, 4};
	struct shared shared = {0};

	in_hub(two_consumers_body, &shared);
	cr_assert_arr_eq(shared.values, expected, sizeof expected);
}

Test(generator, may_be_freed_unused_or_half_used)
{
	struct hub_generator *unused = hub_generator_new(count_to, (void *)3);
	struct hub_generator *half = hub_generator_new(count_to, (void *)3);
	void *value;

	cr_assert(hub_generator_next(half, &value));
	hub_generator_free(unused);
	hub_generator_free(half);
	hub_generator_free(NULL);
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
exhaust(void *argument)
{
	struct shared *shared = argument;
	void *value;

	while (hub_generator_next(shared->generator, &value))
		shared->count++;
	return NULL;
}

static void *
reused_slot_body(void *argument)
{
	struct shared *shared = argument;

	shared->generator = hub_generator_new(count_to, (void *)4);
	/* So that the consumer lives where another coroutine did. */
	hub_join(hub_spawn(nothing, NULL), NULL);
	hub_join(hub_spawn(exhaust, shared), NULL);
	hub_generator_free(shared->generator);
	return NULL;
}

Test(generator, its_end_reaches_a_consumer_in_a_used_slot)
{
	struct shared shared = {0};

	in_hub(reused_slot_body, &shared);
	cr_assert_eq(shared.count, 4);
}

/* ---- throw and close ---- */

/* What was thrown at each yield; -1 where it has not come to. */
struct thrown {
	int first, second, third;
};

static void *
stubborn(void *argument)
{
	struct thrown *thrown = argument;

	hub_yield((void *)0);
	thrown->first = hub_thrown();
	hub_yield((void *)1);
	thrown->second = hub_thrown();
	hub_yield((void *)2);
	thrown->third = hub_thrown();
	return (void *)7;
}

Test(generator, throw_reaches_the_yield_and_gives_the_next_value)
{
	struct thrown thrown = {-1, -1, -1};
	struct hub_generator *generator = hub_generator_new(stubborn, &thrown);
	void *value;

	cr_assert(hub_generator_next(generator, &value));
	cr_assert(hub_generator_throw(generator, EIO, &value));
	cr_assert_eq(value, (void *)1);
	cr_assert_eq(thrown.first, EIO);
	cr_assert_eq(hub_generator_close(generator), -1);
	cr_assert_eq(errno, EBUSY);
	cr_assert_eq(thrown.second, ECANCELED);
	cr_assert_eq(hub_generator_close(generator), 0);
	cr_assert_not(hub_generator_next(generator, &value));
	cr_assert_eq(value, (void *)7);
	cr_assert_eq(hub_generator_close(generator), 0);
	hub_generator_free(generator);
}

Test(generator, closed_before_its_start_it_never_runs)
{
	struct thrown thrown = {-1, -1, -1};
	struct hub_generator *generator = hub_generator_new(stubborn, &thrown);
	void *value = generator;

	cr_assert_eq(hub_generator_close(generator), 0);
	cr_assert_not(hub_generator_next(generator, &value));
	cr_assert_null(value);
	cr_assert_eq(thrown.first, -1);
	hub_generator_free(generator);
}

static void *
failing_after_one(void *argument)
{
	hub_yield(argument);
	return hub_fail(EPROTO, "no more of %p", argument);
}

Test(generator, a_failure_is_its_own_and_not_thrown_at_the_consumer)
{
	struct hub_generator *generator = hub_generator_new(failing_after_one, NULL);
	void *value;

	cr_assert(hub_generator_next(generator, &value));
	cr_assert_null(hub_generator_failure(generator));
	cr_assert_not(hub_generator_next(generator, &value));
	cr_assert_eq(hub_generator_failure(generator)->code, EPROTO);
	cr_assert_eq(hub_thrown(), 0);
	hub_generator_free(generator);
}

/* ---- asked by its own child ---- */

static struct hub_coroutine *child;
static struct hub_generator *cyclic;

static void *
asks_parent(void *argument)
{
	void *value;

	hub_generator_next(cyclic, &value);
	return argument;
}

static void *
makes_child(void *argument)
{
	child = hub_new(asks_parent);
	hub_yield(argument);
	return argument;
}

Test(generator, that_ends_for_its_own_child_makes_no_cycle_of_parents, .timeout = 30)
{
	void *value;

	cyclic = hub_generator_new(makes_child, NULL);
	cr_assert(hub_generator_next(cyclic, &value));
	cr_assert_eq(hub_switch(child, "end"), "end");
	cr_assert(hub_is_done(child));
	hub_free(child);
	hub_generator_free(cyclic);
}

/* ---- whose consumer is freed while it waits for the value ---- */

static struct hub_generator *slow;
static struct hub_coroutine *consumer;
static struct hub_event may_end, has_ended;

static void *
ends_when_told(void *argument)
{
	hub_event_wait(&may_end);
	hub_event_set(&has_ended);
	return argument;
}

static void *
consumes(void *argument)
{
	void *value;

	hub_generator_next(slow, &value);
	return argument;
}

static void *
drives(void *argument)
{
	hub_switch(consumer, argument);
	return argument;
}

static void *
outlives_it(void *argument)
{
	hub_event_wait(&has_ended);
	hub_sleep(0);
	return argument;
}

struct orphan {
	bool is_slot_used_again; /* otherwise the test tells nothing */
	bool is_successor_done;
};

static void *
orphan_body(void *argument)
{
	struct hub_coroutine *driver, *successor;
	struct orphan *orphan = argument;

	slow = hub_generator_new(ends_when_told, NULL);
	consumer = hub_new(consumes);
	driver = hub_spawn(drives, NULL);
	hub_sleep(0);
	/* The generator waits on behalf of the two, who are suspended in hub_switch. */
	hub_free(consumer);
	successor = hub_spawn(outlives_it, NULL);
	orphan->is_slot_used_again = successor == consumer;
	hub_event_set(&may_end);
	hub_join(successor, NULL);
	orphan->is_successor_done = true;
	/* Nobody will ever switch to the driver again. */
	hub_detach(driver);
	hub_generator_free(slow);
	return NULL;
}

Test(generator, its_end_does_not_reach_the_successor_of_a_consumer_that_was_freed, .timeout = 30)
{
	struct orphan orphan = {0};

	in_hub(orphan_body, &orphan);
	cr_assert(orphan.is_slot_used_again);
	cr_assert(orphan.is_successor_done);
}
