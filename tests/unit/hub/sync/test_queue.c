/* Queues: the order of their items, bounds, closing, who waits, and items that are dealt with. */
#include "tests/support/allocated.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	struct hub_queue *queue;
	intptr_t got[256];
	int count;
};

static struct record *current;

Test(queue, fifo_over_a_ring_that_grows_and_wraps)
{
	struct hub_queue *queue = hub_queue_new(HUB_QUEUE_FIFO, 0);
	intptr_t next = 1, wanted = 1;
	void *item;

	while (next <= 10)
		hub_queue_try_put(queue, (void *)next++);
	for (int i = 0; i < 7; i++) {
		hub_queue_try_get(queue, &item);
		cr_assert_eq((intptr_t)item, wanted++);
	}
	while (next <= 100)
		hub_queue_try_put(queue, (void *)next++);
	cr_assert_eq(hub_queue_size(queue), 93);
	while (hub_queue_try_get(queue, &item) == 0)
		cr_assert_eq((intptr_t)item, wanted++);
	cr_assert_eq(wanted, 101);
	hub_queue_free(queue);
}

Test(queue, lifo)
{
	struct hub_queue *queue = hub_queue_new(HUB_QUEUE_LIFO, 0);
	intptr_t wanted = 40;
	void *item;

	for (intptr_t i = 1; i <= 40; i++)
		hub_queue_try_put(queue, (void *)i);
	while (hub_queue_try_get(queue, &item) == 0)
		cr_assert_eq((intptr_t)item, wanted--);
	cr_assert_eq(wanted, 0);
	hub_queue_free(queue);
}

/* What the items of a crowd lie in is not kept when they have left. */
static void
crowd_leaves(enum hub_queue_order order)
{
	enum { CROWD = 100000 };
	struct hub_queue *queue = hub_queue_new(order, 0);
	long before = allocated_bytes();
	void *item;

	for (intptr_t i = 0; i < CROWD; i++)
		hub_queue_try_put(queue, (void *)i);
	for (intptr_t i = 0; i < CROWD; i++) {
		hub_queue_try_get(queue, &item);
		cr_assert_eq((intptr_t)item, order == HUB_QUEUE_LIFO ? CROWD - 1 - i : i);
	}
	if (before != -1)
		cr_assert_lt(allocated_bytes() - before, 16 * 1024);
	hub_queue_free(queue);
}

Test(queue, gives_back_what_a_crowd_has_needed)
{
	crowd_leaves(HUB_QUEUE_FIFO);
	crowd_leaves(HUB_QUEUE_LIFO);
	crowd_leaves(HUB_QUEUE_PRIORITY);
}

static void *
priority_body(void *argument)
{
	struct record *record = argument;
	void *item;

	record->queue = hub_queue_new(HUB_QUEUE_PRIORITY, 0);
	for (intptr_t i = 0; i < 200; i++)
		hub_queue_put_priority(record->queue, (void *)i, (i * 37) % 10);
	while (hub_queue_try_get(record->queue, &item) == 0)
		record->got[record->count++] = (intptr_t)item;
	hub_queue_free(record->queue);
	return NULL;
}

Test(queue, the_smallest_priority_first_and_equals_in_order)
{
	struct record record = {0};

	in_hub(priority_body, &record);
	cr_assert_eq(record.count, 200);
	for (int i = 1; i < 200; i++) {
		intptr_t before = record.got[i - 1], after = record.got[i];

		cr_assert_leq((before * 37) % 10, (after * 37) % 10);
		if ((before * 37) % 10 == (after * 37) % 10)
			cr_assert_lt(before, after);
	}
}

static void *
put_many(void *argument)
{
	for (intptr_t i = 1; i <= 100; i++)
		if (hub_queue_put(current->queue, (void *)i) != 0)
			break;
	hub_queue_close(current->queue);
	return argument;
}

static void *
bounded_body(void *argument)
{
	struct hub_coroutine *putter;
	intptr_t wanted = 1;
	void *item;

	current = argument;
	current->queue = hub_queue_new(HUB_QUEUE_FIFO, 3);
	putter = hub_spawn(put_many, NULL);
	hub_sleep(0);
	trace_say("%zu items", hub_queue_size(current->queue));
	while (hub_queue_get(current->queue, &item) == 0 && (intptr_t)item == wanted)
		wanted++;
	trace_say("the next would be %ld", (long)wanted);
	trace_call("get", hub_queue_get(current->queue, &item));
	hub_join(putter, NULL);
	hub_queue_free(current->queue);
	return NULL;
}

Test(queue, a_bounded_one_makes_putters_wait_and_a_closed_one_drains_first)
{
	struct record record = {0};

	in_hub(bounded_body, &record);
	cr_assert_str_eq(trace_text(), "3 items, the next would be 101, get EPIPE");
}

static void *
get_one(void *argument)
{
	void *item = "nothing";

	trace_call(argument, hub_queue_get(current->queue, &item));
	trace_say("'%s'", (const char *)item);
	return NULL;
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *killed, *other;

	current = argument;
	current->queue = hub_queue_new(HUB_QUEUE_FIFO, 0);
	killed = hub_spawn(get_one, "the killed one");
	other = hub_spawn(get_one, "the other one");
	hub_sleep(0);
	hub_kill(killed);
	hub_queue_put(current->queue, "item");
	hub_join(killed, NULL);
	hub_join(other, NULL);
	trace_say("%zu left", hub_queue_size(current->queue));
	hub_queue_free(current->queue);
	return NULL;
}

Test(queue, an_item_is_not_lost_on_one_that_was_killed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_str_eq(trace_text(),
		"the killed one ECANCELED, 'nothing', the other one 0, 'item', 0 left");
}

static void *
work(void *argument)
{
	void *item;

	while (hub_queue_get(current->queue, &item) == 0) {
		hub_sleep(0);
		current->count++;
		hub_queue_task_done(current->queue);
	}
	return argument;
}

static void *
join_body(void *argument)
{
	struct hub_coroutine *worker;

	current = argument;
	current->queue = hub_queue_new(HUB_QUEUE_FIFO, 2);
	trace_call("join of nothing", hub_queue_join(current->queue));
	worker = hub_spawn(work, NULL);
	for (intptr_t i = 0; i < 20; i++)
		hub_queue_put(current->queue, (void *)i);
	trace_call("join", hub_queue_join(current->queue));
	trace_say("%d done", current->count);
	trace_call("one too many", hub_queue_task_done(current->queue));
	hub_queue_close(current->queue);
	hub_join(worker, NULL);
	hub_queue_free(current->queue);
	return NULL;
}

Test(queue, join_waits_until_every_item_is_dealt_with)
{
	struct record record = {0};

	in_hub(join_body, &record);
	cr_assert_str_eq(trace_text(), "join of nothing 0, join 0, 20 done, one too many EINVAL");
}

/* ---- peeking ---- */

static void *
peek_body(void *argument)
{
	static const int numbers[] = {3, 1, 2};

	for (int order = 0; order < HUB_QUEUE_ORDER_MAX; order++) {
		struct hub_queue *queue = hub_queue_new((enum hub_queue_order)order, 0);
		void *shown = NULL, *taken;

		trace_call("empty", hub_queue_peek(queue, &shown));
		for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
			hub_queue_put_priority(queue, (void *)&numbers[i], numbers[i]);
		while (hub_queue_peek(queue, &shown) == 0 && hub_queue_try_get(queue, &taken) == 0)
			trace_say("%d%s", *(int *)taken, shown == taken ? "" : " was not shown");
		hub_queue_close(queue);
		trace_call("closed", hub_queue_peek(queue, &shown));
		hub_queue_free(queue);
	}
	return argument;
}

Test(queue, shows_what_the_next_get_takes)
{
	in_hub(peek_body, NULL);
	cr_assert_str_eq(trace_text(),
		"empty EAGAIN, 3, 1, 2, closed EPIPE, empty EAGAIN, 2, 1, 3, closed EPIPE, "
		"empty EAGAIN, 1, 2, 3, closed EPIPE");
}
