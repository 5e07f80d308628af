/* Locks and conditions: who has the lock, in which order, and what a kill or a death leaves. */
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	struct hub_lock lock;
	struct hub_condition condition;
	int inside;
	int most_inside;
	bool flag;
};

static struct record *current;

static void *
enter_and_sleep(void *argument)
{
	if (hub_lock_acquire(&current->lock) != 0)
		return NULL;
	trace_say("%s", (const char *)argument);
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
	struct hub_pool pool;

	current = argument;
	hub_pool_init(&pool, 0);
	hub_pool_spawn(&pool, enter_and_sleep, "first");
	hub_pool_spawn(&pool, enter_and_sleep, "second");
	hub_pool_spawn(&pool, enter_and_sleep, "third");
	hub_pool_spawn(&pool, enter_and_sleep, "fourth");
	hub_pool_join(&pool);
	return NULL;
}

Test(lock, lets_one_in_at_a_time_in_order)
{
	struct record record = {0};

	in_hub(exclusive_body, &record);
	cr_assert_eq(record.most_inside, 1);
	cr_assert_str_eq(trace_text(), "first, second, third, fourth");
}

static void *
try_other(void *argument)
{
	trace_call("another tries", hub_lock_try_acquire(argument));
	trace_call("another releases", hub_lock_release(argument));
	return NULL;
}

static void *
recursive_body(void *argument)
{
	struct hub_lock lock = {0};

	trace_call("acquire", hub_lock_acquire(&lock));
	trace_call("acquire", hub_lock_acquire(&lock));
	hub_lock_release(&lock);
	hub_join(hub_spawn(try_other, &lock), NULL);
	trace_call("release", hub_lock_release(&lock));
	trace_call("release", hub_lock_release(&lock));
	return argument;
}

Test(lock, is_recursive_and_knows_its_owner)
{
	in_hub(recursive_body, NULL);
	cr_assert_str_eq(trace_text(),
		"acquire 0, acquire 0, another tries EBUSY, another releases EPERM, release 0, "
		"release EPERM");
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *killed, *other;

	current = argument;
	hub_lock_acquire(&current->lock);
	killed = hub_spawn(enter_and_sleep, "the killed one");
	other = hub_spawn(enter_and_sleep, "the other one");
	hub_sleep(0);
	hub_kill(killed);
	hub_lock_release(&current->lock);
	hub_join(killed, NULL);
	hub_join(other, NULL);
	return NULL;
}

Test(lock, does_not_go_to_one_that_was_killed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_str_eq(trace_text(), "the other one");
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
	trace_whether("its own again", record->lock.owner == hub_current());
	trace_say("%u deep", record->lock.depth);
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
	trace_call("acquire", hub_lock_acquire(&record->lock));
	hub_condition_notify(&record->condition);
	hub_sleep(0);
	trace_say("it is so");
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
	cr_assert_str_eq(trace_text(), "acquire 0, it is so, its own again, 2 deep");
	cr_assert_null(record.lock.owner);
}

static void *
interrupted_wait(void *argument)
{
	struct record *record = argument;

	hub_lock_acquire(&record->lock);
	trace_call("wait", hub_condition_wait(&record->condition, &record->lock));
	trace_whether("its own again", record->lock.owner == hub_current());
	trace_call("release", hub_lock_release(&record->lock));
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
	trace_whether("the killer's", record->lock.owner == hub_current());
	hub_lock_release(&record->lock);
	hub_join(waiter, NULL);
	return NULL;
}

Test(condition, a_killed_waiter_has_the_lock_again_too)
{
	struct record record = {0};

	in_hub(interrupted_body, &record);
	cr_assert_str_eq(trace_text(), "the killer's, wait ECANCELED, its own again, release 0");
}

static void *
die_with_it(void *argument)
{
	hub_lock_acquire(argument);
	return hub_current();
}

/* In the memory of the one that has died with it. */
static void *
try_all(void *argument)
{
	struct hub_lock *lock = argument;
	struct hub_condition condition = {0};
	struct hub_timeout scope;

	/* Otherwise this test tells nothing. */
	trace_whether("the slot is used again", lock->owner == hub_current());
	trace_call("try", hub_lock_try_acquire(lock));
	trace_call("release", hub_lock_release(lock));
	trace_call("wait", hub_condition_wait(&condition, lock));
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("acquire", hub_lock_acquire(lock));
	hub_timeout_stop(&scope);
	return hub_current();
}

static void *
successor_body(void *argument)
{
	struct hub_lock lock = {0};

	hub_join(hub_spawn(die_with_it, &lock), NULL);
	hub_join(hub_spawn(try_all, &lock), NULL);
	return argument;
}

Test(lock, is_not_its_dead_owners_successors)
{
	in_hub(successor_body, NULL);
	cr_assert_str_eq(trace_text(),
		"the slot is used again, try EBUSY, release EPERM, wait EPERM, "
		"acquire ETIMEDOUT");
}
