#include <errno.h>

#include "tests/support/in_hub.h"

struct record {
	struct hub_semaphore semaphore;
	int order[16];
	int count;
	int results[8];
	int errors[8];
};

static struct record *current;

static void *
acquire_and_note(void *argument)
{
	if (hub_semaphore_acquire(&current->semaphore) == 0)
		current->order[current->count++] = (int)(intptr_t)argument;
	return NULL;
}

static void *
fair_body(void *argument)
{
	current = argument;
	hub_semaphore_init(&current->semaphore, 0);
	for (intptr_t i = 1; i <= 3; i++)
		hub_detach(hub_spawn(acquire_and_note, (void *)i));
	hub_sleep(0);
	hub_semaphore_release(&current->semaphore);
	/* It is on its way to the first; who comes now does not get it. */
	current->results[0] = hub_semaphore_try_acquire(&current->semaphore);
	current->errors[0] = errno;
	for (int i = 0; i < 2; i++)
		hub_semaphore_release(&current->semaphore);
	hub_sleep(0);
	return NULL;
}

Test(semaphore, hands_over_in_order_and_nobody_barges_in)
{
	struct record record = {0};

	in_hub(fair_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], EAGAIN);
	cr_assert_eq(record.count, 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(record.order[i], i + 1);
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *waiters[2];

	current = argument;
	hub_semaphore_init(&current->semaphore, 0);
	for (intptr_t i = 0; i < 2; i++)
		waiters[i] = hub_spawn(acquire_and_note, (void *)(i + 1));
	hub_sleep(0);
	hub_kill(waiters[0]);
	hub_semaphore_release(&current->semaphore);
	for (int i = 0; i < 2; i++)
		hub_join(waiters[i], NULL);
	return NULL;
}

Test(semaphore, a_permit_is_not_lost_on_one_that_was_killed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_eq(record.count, 1);
	cr_assert_eq(record.order[0], 2);
	cr_assert_eq(record.semaphore.count, 0);
}

static void *
timeout_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;

	hub_semaphore_init(&record->semaphore, 1);
	record->results[0] = hub_semaphore_acquire(&record->semaphore);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	record->results[1] = hub_semaphore_acquire(&record->semaphore);
	record->errors[1] = errno;
	hub_timeout_stop(&scope);
	record->results[2] = hub_semaphore_release(&record->semaphore);
	record->results[3] = hub_semaphore_try_acquire(&record->semaphore);
	return NULL;
}

Test(semaphore, one_that_times_out_takes_none)
{
	struct record record = {0};

	in_hub(timeout_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
	cr_assert_eq(record.results[2], 0);
	cr_assert_eq(record.results[3], 0);
}

Test(semaphore, a_bounded_one_refuses_what_is_too_much)
{
	struct hub_semaphore semaphore;

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
	struct hub_semaphore semaphore;

	hub_semaphore_init(&semaphore, 2);
	cr_assert_eq(hub_semaphore_count(&semaphore), 2);
	cr_assert_eq(hub_semaphore_try_acquire(&semaphore), 0);
	cr_assert_eq(hub_semaphore_count(&semaphore), 1);
}
