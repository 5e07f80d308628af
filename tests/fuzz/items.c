/* Each step makes one random call on a queue, a channel, or a shared queue or event, and settles
 * who owns the item by the call's result. At the end the count of items is 0, and no list of
 * waiters has an entry. */
#include "tests/fuzz/items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/programs.h"

struct items items;

void
items_open(void)
{
	memset(&items, 0, sizeof items);
	for (int i = 0; i < ITEMS_PLACES; i++)
		items.queues[i] = hub_queue_new(below(HUB_QUEUE_ORDER_MAX), below(3));
	items.shared = hub_shared_queue_new(1 + below(3));
	items.event = hub_shared_event_new();
}

void
items_expect_error(const char *what)
{
	static const int known[] = {
		ECANCELED, ETIMEDOUT, EAGAIN, EPIPE, EINTR, EPROTO, EINVAL, EALREADY};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (errno == known[i])
			return;
	programs_complain(what, errno);
}

int *
items_make(void)
{
	int *item = malloc(sizeof *item);

	programs_expect(item != NULL, "malloc", errno);
	*item = 7;
	items.count++;
	return item;
}

void
items_use(void *item)
{
	programs_expect(*(int *)item == 7, "what comes out is no item", *(int *)item);
	*(int *)item = 0;
	free(item);
	items.count--;
}

void
items_note_put(unsigned i)
{
	items.undone[i]++;
}

static void
deal_with_one(unsigned i)
{
	items.undone[i]--;
	items.zeros[i] += items.undone[i] <= 0;
	programs_expect(hub_queue_task_done(items.queues[i]) == 0,
		"an item that was got is none to deal with", i);
}

static void
join_queue(unsigned i)
{
	long zeros = items.zeros[i];
	bool had_some = items.undone[i] > 0;
	struct hub_timeout scope;

	/* Under a deadline: closing the queue does not end hub_queue_join. */
	hub_timeout_start(&scope, below(1000) * HUB_MICROSECOND);
	if (hub_queue_join(items.queues[i]) != 0)
		items_expect_error("join");
	else
		programs_expect(!had_some || items.zeros[i] != zeros,
			"a queue is joined before all is dealt with", items.undone[i]);
	hub_timeout_stop(&scope);
}

/* A failed put leaves the item to the caller. */
static void
end_put(int result, int *item, const char *what)
{
	if (result == 0)
		return;
	items_expect_error(what);
	items_use(item);
}

static void
end_queue_put(unsigned i, int result, int *item, const char *what)
{
	end_put(result, item, what);
	if (result == 0)
		items_note_put(i);
}

static void
end_get(int result, void **item, const char *what)
{
	if (result == 0)
		items_use(*item);
	else
		items_expect_error(what);
}

void
items_step_queue(unsigned i)
{
	struct hub_queue *queue = items.queues[i];
	int *own;
	void *item = NULL;
	int result;

	switch (below(7)) {
	case 0:
		own = items_make();
		result = hub_queue_put(queue, own);
		end_queue_put(i, result, own, "put");
		break;
	case 1:
		own = items_make();
		result = hub_queue_put_priority(queue, own, below(3));
		end_queue_put(i, result, own, "put_priority");
		break;
	case 2:
		own = items_make();
		result = hub_queue_try_put(queue, own);
		end_queue_put(i, result, own, "try_put");
		break;
	case 3:
	case 4:
		result = below(2) ? hub_queue_get(queue, &item) : hub_queue_try_get(queue, &item);
		end_get(result, &item, "get");
		if (result == 0 && below(4) != 0)
			deal_with_one(i);
		break;
	case 5:
		join_queue(i);
		break;
	default:
		if (below(4) == 0)
			hub_queue_close(queue);
	}
}

void
items_step_channel(unsigned i)
{
	struct hub_channel *channel = &items.channels[i];
	int *own;
	void *item = NULL;

	switch (below(5)) {
	case 0:
		own = items_make();
		end_put(hub_channel_put(channel, own), own, "channel put");
		break;
	case 1:
		own = items_make();
		end_put(hub_channel_try_put(channel, own), own, "channel try_put");
		break;
	case 2:
		end_get(hub_channel_get(channel, &item), &item, "channel get");
		break;
	case 3:
		end_get(hub_channel_try_get(channel, &item), &item, "channel try_get");
		break;
	default:
		if (below(4) == 0)
			hub_channel_close(channel);
	}
}

void
items_step_shared(unsigned i)
{
	int *own;
	void *item = NULL;

	switch (below(6) + (i == 0)) {
	case 0:
	case 1:
		own = items_make();
		end_put(below(2) ? hub_shared_queue_put(items.shared, own)
				 : hub_shared_queue_try_put(items.shared, own),
			own, "shared put");
		break;
	case 2:
	case 3:
		end_get(below(2) ? hub_shared_queue_get(items.shared, &item)
				 : hub_shared_queue_try_get(items.shared, &item),
			&item, "shared get");
		break;
	case 4:
		if (hub_shared_event_wait(items.event) != 0)
			items_expect_error("shared event");
		break;
	case 5:
		if (items.is_over || below(2))
			hub_shared_event_set(items.event);
		else
			hub_shared_event_clear(items.event);
		break;
	default:
		if (below(8) == 0)
			hub_shared_queue_close(items.shared);
	}
}

void
items_end(void)
{
	items.is_over = true;
	for (int i = 0; i < ITEMS_PLACES; i++) {
		hub_queue_close(items.queues[i]);
		hub_channel_close(&items.channels[i]);
	}
	hub_shared_queue_close(items.shared);
	hub_shared_event_set(items.event);
}

void
items_close(void)
{
	void *item;

	for (int i = 0; i < ITEMS_PLACES; i++) {
		while (hub_queue_try_get(items.queues[i], &item) == 0)
			items_use(item);
		hub_queue_free(items.queues[i]);
		programs_expect(
			items.channels[i].putters == NULL && items.channels[i].getters == NULL,
			"somebody waits at a channel", i);
	}
	while (hub_shared_queue_try_get(items.shared, &item) == 0)
		items_use(item);
	hub_shared_queue_free(items.shared);
	hub_shared_event_free(items.event);
	programs_expect(items.count == 0, "items are lost or made", items.count);
}
