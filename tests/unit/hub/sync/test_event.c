#include <errno.h>

#include "tests/support/in_hub.h"

struct record {
	struct hub_event event;
	int order[8];
	int count;
	int errors[4];
};

static struct record *current;

static void *
wait_and_note(void *argument)
{
	if (hub_event_wait(&current->event) == 0)
		current->order[current->count++] = (int)(intptr_t)argument;
	return NULL;
}

static void *
order_body(void *argument)
{
	current = argument;
	for (intptr_t i = 1; i <= 3; i++)
		hub_detach(hub_spawn(wait_and_note, (void *)i));
	hub_sleep(0);
	hub_event_set(&current->event);
	hub_event_clear(&current->event);
	hub_sleep(0);
	return NULL;
}

Test(event, set_wakes_all_in_order_even_if_cleared_at_once)
{
	struct record record = {0};

	in_hub(order_body, &record);
	cr_assert_eq(record.count, 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(record.order[i], i + 1);
}

static void *
set_already_body(void *argument)
{
	struct record *record = argument;

	hub_event_set(&record->event);
	record->errors[0] = hub_event_wait(&record->event);
	hub_event_clear(&record->event);
	record->errors[1] = record->event.is_set;
	return NULL;
}

Test(event, waiting_for_one_that_is_set_returns_at_once)
{
	struct record record = {.errors = {7, 7}};

	in_hub(set_already_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], 0);
}

static void *
middle_leaves_body(void *argument)
{
	struct hub_coroutine *waiters[3];

	current = argument;
	for (intptr_t i = 0; i < 3; i++)
		waiters[i] = hub_spawn(wait_and_note, (void *)(i + 1));
	hub_sleep(0);
	hub_kill(waiters[1]);
	hub_sleep(0);
	hub_kill(waiters[2]);
	hub_event_set(&current->event);
	for (int i = 0; i < 3; i++)
		hub_join(waiters[i], NULL);
	return NULL;
}

Test(event, a_waiter_that_is_killed_leaves_the_queue_whole)
{
	struct record record = {0};

	in_hub(middle_leaves_body, &record);
	cr_assert_eq(record.count, 1);
	cr_assert_eq(record.order[0], 1);
}

Test(event, tells_whether_it_is_set)
{
	struct hub_event event = {0};

	cr_assert_not(hub_event_is_set(&event));
	hub_event_set(&event);
	cr_assert(hub_event_is_set(&event));
	hub_event_clear(&event);
	cr_assert_not(hub_event_is_set(&event));
}
