#include <errno.h>

#include "tests/support/in_hub.h"

struct record {
	struct hub_lock lock;
	struct hub_condition condition;
	int order[16];
	int count;
	int inside;
	int most_inside;
	int results[8];
	int errors[8];
	bool flag;
};

static struct record *current;

static void *
enter_and_sleep(void *argument)
{
	if (hub_lock_acquire(&current->lock) != 0)
		return NULL;
	current->order[current->count++] = (int)(intptr_t)argument;
	if (++current->inside > current->most_inside)
		current->most_inside = current->inside;
	hub_sleep(HUB_MILLISECOND);
	current->inside--;
	hub_lock_release(&current->lock);
	return NULL;
}

static void *
exclusive_body(void *argument)
{
	struct hub_coroutine *all[4];

	current = argument;
	for (intptr_t i = 0; i < 4; i++)
		all[i] = hub_spawn(enter_and_sleep, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		hub_join(all[i], NULL);
	return NULL;
}

Test(lock, lets_one_in_at_a_time_in_order)
{
	struct record record = {0};

	in_hub(exclusive_body, &record);
	cr_assert_eq(record.most_inside, 1);
	cr_assert_eq(record.count, 4);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(record.order[i], i + 1);
}

static void *
try_other(void *argument)
{
	struct record *record = argument;

	record->results[2] = hub_lock_try_acquire(&record->lock);
	record->errors[2] = errno;
	record->results[3] = hub_lock_release(&record->lock);
	record->errors[3] = errno;
	return NULL;
}

static void *
recursive_body(void *argument)
{
	struct record *record = argument;

	record->results[0] = hub_lock_acquire(&record->lock);
	record->results[1] = hub_lock_acquire(&record->lock);
	hub_lock_release(&record->lock);
	hub_join(hub_spawn(try_other, record), NULL);
	record->results[4] = hub_lock_release(&record->lock);
	record->results[5] = hub_lock_release(&record->lock);
	record->errors[5] = errno;
	return NULL;
}

Test(lock, is_recursive_and_knows_its_owner)
{
	struct record record = {0};

	in_hub(recursive_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], 0);
	cr_assert_eq(record.results[2], -1);
	cr_assert_eq(record.errors[2], EBUSY);
	cr_assert_eq(record.results[3], -1);
	cr_assert_eq(record.errors[3], EPERM);
	cr_assert_eq(record.results[4], 0);
	cr_assert_eq(record.results[5], -1);
	cr_assert_eq(record.errors[5], EPERM);
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *waiters[2];

	current = argument;
	hub_lock_acquire(&current->lock);
	for (intptr_t i = 0; i < 2; i++)
		waiters[i] = hub_spawn(enter_and_sleep, (void *)(i + 1));
	hub_sleep(0);
	hub_kill(waiters[0]);
	hub_lock_release(&current->lock);
	for (int i = 0; i < 2; i++)
		hub_join(waiters[i], NULL);
	return NULL;
}

Test(lock, does_not_go_to_one_that_was_killed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_eq(record.count, 1);
	cr_assert_eq(record.order[0], 2);
	cr_assert_null(record.lock.owner);
}

static void *
wait_for_flag(void *argument)
{
	struct record *record = argument;

	hub_lock_acquire(&record->lock);
	hub_lock_acquire(&record->lock);
	while (!record->flag)
		if (hub_condition_wait(&record->condition, &record->lock) != 0)
			break;
	record->results[0] = record->lock.owner == hub_current() && record->lock.depth == 2;
	hub_lock_release(&record->lock);
	hub_lock_release(&record->lock);
	return NULL;
}

static void *
condition_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *waiter = hub_spawn(wait_for_flag, record);

	hub_sleep(0);
	/* The waiter has released it, twice. */
	record->results[1] = hub_lock_acquire(&record->lock);
	hub_condition_notify(&record->condition);
	hub_sleep(0);
	record->flag = true;
	hub_condition_notify_all(&record->condition);
	hub_sleep(0);
	hub_lock_release(&record->lock);
	hub_join(waiter, NULL);
	return NULL;
}

Test(condition, releases_the_lock_while_it_waits_and_has_it_again_after)
{
	struct record record = {0};

	in_hub(condition_body, &record);
	cr_assert_eq(record.results[0], 1);
	cr_assert_eq(record.results[1], 0);
	cr_assert_null(record.lock.owner);
}

static void *
interrupted_wait(void *argument)
{
	struct record *record = argument;

	hub_lock_acquire(&record->lock);
	record->results[0] = hub_condition_wait(&record->condition, &record->lock);
	record->errors[0] = errno;
	record->results[1] = record->lock.owner == hub_current();
	record->results[2] = hub_lock_release(&record->lock);
	return NULL;
}

static void *
interrupted_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *waiter = hub_spawn(interrupted_wait, record);

	hub_sleep(0);
	hub_lock_acquire(&record->lock);
	hub_kill(waiter);
	/* It wants the lock back before it may return, killed or not. */
	hub_sleep(2 * HUB_MILLISECOND);
	record->results[3] = record->lock.owner == hub_current();
	hub_lock_release(&record->lock);
	hub_join(waiter, NULL);
	return NULL;
}

Test(condition, a_killed_waiter_has_the_lock_again_too)
{
	struct record record = {0};

	in_hub(interrupted_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.results[1], 1);
	cr_assert_eq(record.results[2], 0);
	cr_assert_eq(record.results[3], 1);
}

static void *
die_with_it(void *argument)
{
	struct record *record = argument;

	hub_lock_acquire(&record->lock);
	return hub_current();
}

/* In the memory of the one that has died with it. */
static void *
try_all(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;

	record->results[0] = record->lock.owner == hub_current();
	record->results[1] = hub_lock_try_acquire(&record->lock);
	record->errors[1] = errno;
	record->results[2] = hub_lock_release(&record->lock);
	record->errors[2] = errno;
	record->results[3] = hub_condition_wait(&record->condition, &record->lock);
	record->errors[3] = errno;
	hub_timeout_start(&scope, HUB_MILLISECOND);
	record->results[4] = hub_lock_acquire(&record->lock);
	record->errors[4] = errno;
	hub_timeout_stop(&scope);
	return hub_current();
}

static void *
successor_body(void *argument)
{
	hub_join(hub_spawn(die_with_it, argument), NULL);
	hub_join(hub_spawn(try_all, argument), NULL);
	return NULL;
}

Test(lock, is_not_its_dead_owners_successors)
{
	struct record record = {0};

	in_hub(successor_body, &record);
	cr_assert(record.results[0], "the slot was not used again: this test tells nothing");
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], EBUSY);
	cr_assert_eq(record.results[2], -1);
	cr_assert_eq(record.errors[2], EPERM);
	cr_assert_eq(record.results[3], -1);
	cr_assert_eq(record.errors[3], EPERM);
	cr_assert_eq(record.results[4], -1);
	cr_assert_eq(record.errors[4], ETIMEDOUT);
}
