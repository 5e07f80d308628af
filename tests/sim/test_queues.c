/* Random putters and one getter of a queue, in random worlds: items come out in the queue's order,
 * each is one to deal with, and none comes before one that it should follow. */
#include <criterion/criterion.h>

#include "tests/sim/worlds.h"

enum { WORLDS = 40, QUEUES = 8 };

#define TIME_MOST (20 * HUB_MILLISECOND)

TestSuite(random_queues, .timeout = 120);

static void
sleep_some(void)
{
	hub_sleep(once_in(3) ? 0 : below(TIME_MOST));
}

enum { ITEMS = 24, CAPACITY = 5 };

struct item {
	int64_t priority;
	/* Counted over all calls: when its put began and had ended; 0: not yet. */
	unsigned began, ended;
	bool is_taken;
};

struct exchange {
	struct hub_queue *queue;
	enum hub_queue_order order;
	struct item items[ITEMS];
	unsigned put, calls;
};

static void *
put_items(void *argument)
{
	struct exchange *exchange = argument;

	while (exchange->put < ITEMS) {
		struct item *item = &exchange->items[exchange->put++];

		item->priority = below(3);
		item->began = ++exchange->calls;
		if (hub_queue_put_priority(exchange->queue, item, item->priority) == 0)
			item->ended = ++exchange->calls;
		else
			item->is_taken = true;
		if (once_in(2))
			sleep_some();
	}
	return NULL;
}

/* Whether one that is still there should have been taken instead, by a call that began then. */
static bool
goes_before(const struct exchange *exchange, const struct item *other, const struct item *taken,
	unsigned began)
{
	bool is_earlier = other->ended < taken->began;

	if (other->is_taken || other->ended == 0 || other->ended > began)
		return false;
	if (exchange->order == HUB_QUEUE_FIFO)
		return is_earlier;
	if (exchange->order == HUB_QUEUE_LIFO)
		return taken->ended != 0 && taken->ended < other->began;
	return other->priority < taken->priority ||
	       (other->priority == taken->priority && is_earlier);
}

static void
take_items(struct exchange *exchange)
{
	for (unsigned left = ITEMS; left > 0; left--) {
		unsigned began = ++exchange->calls;
		struct item *item;
		void *got;

		if (hub_queue_get_for(exchange->queue, &got, 10 * TIME_MOST) != 0)
			return;
		item = got;
		item->is_taken = true;
		if (hub_queue_task_done(exchange->queue) != 0)
			wrong("an item that was got is none to deal with");
		for (int i = 0; i < ITEMS; i++)
			if (goes_before(exchange, &exchange->items[i], item, began))
				wrong("a queue of order %d gives an item before its turn",
					exchange->order);
		if (once_in(2))
			sleep_some();
	}
}

static void
step_queue(void)
{
	struct exchange exchange = {.order = below(HUB_QUEUE_ORDER_MAX)};
	struct hub_nursery nursery;

	exchange.queue = hub_queue_new(exchange.order, below(CAPACITY));
	if (exchange.queue == NULL)
		return;
	hub_nursery_open(&nursery);
	for (unsigned left = 1 + below(3); left > 0; left--)
		hub_nursery_spawn(&nursery, put_items, &exchange);
	take_items(&exchange);
	hub_nursery_cancel(&nursery);
	hub_nursery_close(&nursery);
	hub_queue_free(exchange.queue);
}

static void *
body(void *unused)
{
	for (int left = QUEUES; left > 0 && !is_wrong(); left--)
		step_queue();
	return unused;
}

Test(random_queues, keep_their_order)
{
	in_worlds(body, WORLDS);
}
