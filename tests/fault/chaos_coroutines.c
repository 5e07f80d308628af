/* Acts on other coroutines: kills, joins, children, and what they leave when they die. */
#include <errno.h>

#include "tests/fault/chaos_acts.h"
#include "tests/fault/chaos_world.h"

static void *
die_with_lock(void *argument)
{
	hub_lock_try_acquire(argument);
	return NULL;
}

static void *
try_lock(void *argument)
{
	errno = 0;
	if (hub_lock_try_acquire(argument) == 0)
		complain("a dead owner's lock is acquired", 0);
	if (hub_lock_release(argument) == 0)
		complain("a dead owner's lock is released", 0);
	return NULL;
}

bool
do_inherit(unsigned i)
{
	struct hub_lock lock = {0};
	struct hub_timeout shield;
	bool was_acquired;

	(void)i;
	hub_shield_start(&shield);
	hub_join(hub_spawn(die_with_lock, &lock), NULL);
	was_acquired = lock.owner != NULL;
	if (was_acquired)
		hub_join(hub_spawn(try_lock, &lock), NULL);
	hub_shield_stop(&shield);
	return was_acquired;
}

bool
do_kill(unsigned i)
{
	struct hub_coroutine *actor = world.actors[below(ACTORS)];

	(void)i;
	return actor == NULL || hub_kill(actor) == 0;
}

static void *
child(void *argument)
{
	world.children++;
	do_sleep((unsigned)(intptr_t)argument);
	if (below(8) == 0)
		hub_fail(EPROTO, "chance");
	world.children--;
	return argument;
}

bool
do_join(unsigned i)
{
	struct hub_coroutine *own = hub_spawn(child, (void *)(intptr_t)i);
	struct hub_failure failure;

	if (own == NULL)
		return false;
	if (below(2))
		hub_kill(own);
	if (hub_get(own, NULL, &failure) == 0 || failure.code == EPROTO)
		return true;
	expect_interrupted("join");
	hub_kill(own);
	hub_detach(own);
	return false;
}

bool
do_wait_ended(unsigned i)
{
	struct hub_coroutine *own[3];
	struct hub_timeout shield;
	size_t ended;
	bool result;

	for (int j = 0; j < 3; j++)
		own[j] = hub_spawn_later(below(500) * HUB_MICROSECOND, child, (void *)(intptr_t)i);
	result = hub_wait_ended(own, 3, below(4), below(2) ? HUB_WAIT_FIRST_FAILURE : 0, &ended) ==
		 0;
	hub_kill_all(own, 3);
	hub_shield_start(&shield);
	for (int j = 0; j < 3; j++)
		expect(hub_join(own[j], NULL) == 0, "a shielded join fails", errno);
	hub_shield_stop(&shield);
	return result;
}

bool
do_wait_detached(unsigned i)
{
	struct hub_coroutine *own[3];
	size_t ended, enough = 1 + below(3);

	for (int j = 0; j < 3; j++) {
		own[j] = hub_spawn(child, (void *)(intptr_t)i);
		hub_detach(own[j]);
	}
	if (hub_wait_ended(own, 3, enough, 0, &ended) != 0)
		return false;
	expect(ended >= enough, "fewer have ended than were waited for", (long)ended);
	return true;
}

bool
do_nursery(unsigned i)
{
	struct hub_nursery nursery;
	bool result;

	hub_nursery_open(&nursery);
	for (int j = 0; j < 3; j++)
		hub_nursery_spawn(&nursery, child, (void *)(intptr_t)i);
	do_sleep(1);
	result = hub_nursery_close(&nursery) == 0;
	expect(nursery.group.count == 0, "children outlive their nursery",
		(long)nursery.group.count);
	return result;
}

bool
do_pool(unsigned i)
{
	void *arguments[4] = {(void *)(intptr_t)i}, *results[4];
	struct hub_failure failure;

	return hub_pool_map(&world.pool, child, arguments, 4, results, &failure) == 0;
}

bool
do_shield(unsigned i)
{
	struct hub_timeout shield, scope;
	bool result;

	hub_shield_start(&shield);
	hub_timeout_start(&scope, below(1000) * pace * HUB_MICROSECOND);
	result = do_event(i);
	hub_timeout_stop(&scope);
	expect(hub_sleep(0) == 0, "a shield lets something through", errno);
	hub_shield_stop(&shield);
	return result;
}

static void *
count_three(void *argument)
{
	for (intptr_t i = 1; i <= 3; i++) {
		if (hub_sleep(0) != 0)
			return argument;
		hub_yield((void *)i);
		if (hub_thrown() != 0)
			return argument;
	}
	return NULL;
}

bool
do_generator(unsigned i)
{
	struct hub_generator *generator = hub_generator_new(count_three, NULL);
	void *value;

	for (unsigned j = 0; j < i + 1; j++)
		hub_generator_next(generator, &value);
	expect(hub_generator_close(generator) == 0, "a generator is not closed", errno);
	hub_generator_free(generator);
	return true;
}

static void
count_deferred(void *argument)
{
	(*(long *)argument)--;
}

bool
do_defer(unsigned i)
{
	(void)i;
	if (hub_defer(count_deferred, &world.children) != 0)
		return false;
	world.children++;
	return hub_alloc(below(2000)) != NULL;
}
