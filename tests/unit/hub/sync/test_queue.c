#include <errno.h>

#include "tests/support/allocated.h"
#include "tests/support/in_hub.h"

struct record {
	struct hub_queue *queue;
	intptr_t got[256];
	int count;
	int results[8];
	int errors[8];
};

static struct record *current;

static void
drain(struct record *record)
{
	void *item;

	while (hub_queue_try_get(record->queue, &item) == 0)
		record->got[record->count++] = (intptr_t)item;
}

Test(queue, fifo_over_a_ring_that_grows_and_wraps)
{
	struct record record = {.queue = hub_queue_new(HUB_QUEUE_FIFO, 0)};
	intptr_t next = 1;
	void *item;

	for (int i = 0; i < 10; i++)
		hub_queue_try_put(record.queue, (void *)next++);
	for (int i = 0; i < 7; i++) {
		hub_queue_try_get(record.queue, &item);
		cr_assert_eq((intptr_t)item, i + 1);
	}
	while (next <= 100)
		hub_queue_try_put(record.queue, (void *)next++);
	cr_assert_eq(hub_queue_size(record.queue), 93);
	drain(&record);
	for (int i = 0; i < 93; i++)
		cr_assert_eq(record.got[i], i + 8);
	hub_queue_free(record.queue);
}

Test(queue, lifo)
{
	struct record record = {.queue = hub_queue_new(HUB_QUEUE_LIFO, 0)};

	for (intptr_t i = 1; i <= 40; i++)
		hub_queue_try_put(record.queue, (void *)i);
	drain(&record);
	for (int i = 0; i < 40; i++)
		cr_assert_eq(record.got[i], 40 - i);
	hub_queue_free(record.queue);
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

	record->queue = hub_queue_new(HUB_QUEUE_PRIORITY, 0);
	for (intptr_t i = 0; i < 200; i++)
		hub_queue_put_priority(record->queue, (void *)i, (i * 37) % 10);
	drain(record);
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
	void *item;

	current = argument;
	current->queue = hub_queue_new(HUB_QUEUE_FIFO, 3);
	putter = hub_spawn(put_many, NULL);
	hub_sleep(0);
	current->results[0] = (int)hub_queue_size(current->queue);
	while (hub_queue_get(current->queue, &item) == 0)
		current->got[current->count++] = (intptr_t)item;
	current->errors[0] = errno;
	hub_join(putter, NULL);
	hub_queue_free(current->queue);
	return NULL;
}

Test(queue, a_bounded_one_makes_putters_wait_and_a_closed_one_drains_first)
{
	struct record record = {0};

	in_hub(bounded_body, &record);
	cr_assert_eq(record.results[0], 3);
	cr_assert_eq(record.count, 100);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(record.got[i], i + 1);
	cr_assert_eq(record.errors[0], EPIPE);
}

static void *
get_one(void *argument)
{
	int index = (int)(intptr_t)argument;
	void *item = NULL;

	current->results[index] = hub_queue_get(current->queue, &item);
	current->errors[index] = errno;
	current->got[index] = (intptr_t)item;
	return NULL;
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *getters[2];

	current = argument;
	current->queue = hub_queue_new(HUB_QUEUE_FIFO, 0);
	for (intptr_t i = 0; i < 2; i++)
		getters[i] = hub_spawn(get_one, (void *)i);
	hub_sleep(0);
	hub_kill(getters[0]);
	hub_queue_put(current->queue, (void *)7);
	for (int i = 0; i < 2; i++)
		hub_join(getters[i], NULL);
	current->results[2] = (int)hub_queue_size(current->queue);
	hub_queue_free(current->queue);
	return NULL;
}

Test(queue, an_item_is_not_lost_on_one_that_was_killed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.results[1], 0);
	cr_assert_eq(record.got[1], 7);
	cr_assert_eq(record.results[2], 0);
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
	current->results[0] = hub_queue_join(current->queue);
	worker = hub_spawn(work, NULL);
	for (intptr_t i = 0; i < 20; i++)
		hub_queue_put(current->queue, (void *)i);
	current->results[1] = hub_queue_join(current->queue);
	current->results[2] = current->count;
	current->results[3] = hub_queue_task_done(current->queue);
	current->errors[3] = errno;
	hub_queue_close(current->queue);
	hub_join(worker, NULL);
	hub_queue_free(current->queue);
	return NULL;
}

Test(queue, join_waits_until_every_item_is_dealt_with)
{
	struct record record = {.results = {7, 7}};

	in_hub(join_body, &record);
	cr_assert_eq(record.results[0], 0, "nothing was put yet");
	cr_assert_eq(record.results[1], 0);
	cr_assert_eq(record.results[2], 20);
	cr_assert_eq(record.results[3], -1);
	cr_assert_eq(record.errors[3], EINVAL);
}

/* ---- peeking ---- */

static void *
peek_body(void *argument)
{
	static const int numbers[] = {3, 1, 2};
	struct record *record = argument;

	for (int order = 0; order < HUB_QUEUE_ORDER_MAX; order++) {
		struct hub_queue *queue = hub_queue_new((enum hub_queue_order)order, 0);
		void *shown = NULL, *taken;

		record->errors[order] = hub_queue_peek(queue, &shown) != 0 ? errno : 0;
		for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
			hub_queue_put_priority(queue, (void *)&numbers[i], numbers[i]);
		while (hub_queue_peek(queue, &shown) == 0 && hub_queue_try_get(queue, &taken) == 0)
			record->count += shown == taken;
		hub_queue_close(queue);
		record->errors[order + 3] = hub_queue_peek(queue, &shown) != 0 ? errno : 0;
		hub_queue_free(queue);
	}
	return NULL;
}

Test(queue, shows_what_the_next_get_takes)
{
	static const int expected[] = {EAGAIN, EAGAIN, EAGAIN, EPIPE, EPIPE, EPIPE};
	struct record record = {0};

	in_hub(peek_body, &record);
	cr_assert_arr_eq(record.errors, expected, sizeof expected);
	cr_assert_eq(record.count, 9);
}
