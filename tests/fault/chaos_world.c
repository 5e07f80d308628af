/* What is made at the beginning of a round, and must be accounted for at its end. */
#include "tests/fault/chaos_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/scheduler_priv.h"

/* ---- complaints ---- */

long failures;

void
complain(const char *what, long value)
{
	fprintf(stderr, "chaos: %s (%ld)\n", what, value);
	failures++;
}

void
expect(bool condition, const char *what, long value)
{
	if (!condition)
		complain(what, value);
}

bool
is_interrupted(void)
{
	return errno == ECANCELED || errno == ETIMEDOUT;
}

void
expect_interrupted(const char *what)
{
	expect(is_interrupted(), what, errno);
}

/* ---- the world ---- */

struct world world;

bool
open_pair(struct pair *pair)
{
	pair->serial = world.serial++;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends) == 0;
}

void
close_secure(struct pair *pair)
{
	if (pair->ends[0] == -1)
		return;
	hub_close(pair->ends[0]);
	hub_close(pair->ends[1]);
	*pair = (struct pair){.ends = {-1, -1}};
}

void
world_make(void)
{
	memset(&world, 0, sizeof world);
	for (unsigned i = 0; i < OBJECTS; i++) {
		hub_semaphore_init(&world.semaphores[i], PERMITS);
		world.queues[i] = hub_queue_new(i % HUB_QUEUE_ORDER_MAX, CAPACITY);
		open_pair(&world.pairs[i]);
		world.secure[i].ends[0] = world.secure[i].ends[1] = -1;
	}
	hub_pool_init(&world.pool, 3);
	world.shared_semaphore = hub_shared_semaphore_new(PERMITS);
	world.shared_queue = hub_shared_queue_new(CAPACITY);
}

void
world_check(void)
{
	long left = 0;

	for (int i = 0; i < OBJECTS; i++) {
		left += (long)hub_queue_size(world.queues[i]);
		expect(world.events[i].first == NULL, "somebody waits for an event", i);
		expect(world.semaphores[i].first == NULL, "somebody waits for a semaphore", i);
		expect(world.semaphores[i].count == PERMITS, "permits are lost or made",
			world.semaphores[i].count);
		expect(world.locks[i].owner == NULL, "a lock is held for ever", i);
		expect(world.conditions[i].first == NULL, "somebody waits for a condition", i);
		expect(world.channels[i].putters == NULL && world.channels[i].getters == NULL,
			"somebody waits at a channel", i);
	}
	expect(world.puts == world.gets + left, "items are lost or made",
		world.puts - world.gets - left);
	expect(world.channel_puts == world.channel_gets, "a rendezvous has one side",
		world.channel_puts - world.channel_gets);
	left = (long)hub_shared_queue_size(world.shared_queue);
	expect(world.shared_puts == world.shared_gets + left, "shared items are lost or made",
		world.shared_puts - world.shared_gets - left);
	for (int i = 0; i < PERMITS; i++)
		expect(hub_shared_semaphore_try_acquire(world.shared_semaphore) == 0,
			"a shared permit is lost", i);
	expect(hub_shared_semaphore_try_acquire(world.shared_semaphore) != 0,
		"a shared permit is made", 0);
	expect(hub_pool_count(&world.pool) == 0, "a pool is not empty",
		(long)hub_pool_count(&world.pool));
	expect(hub_pool_free_count(&world.pool) == 3, "a pool has lost places",
		hub_pool_free_count(&world.pool));
	expect(world.children == 0, "clean-up or children are missing", world.children);
	expect(hub_this->scheduled == 1, "coroutines are left", (long)hub_this->scheduled);
	expect(hub_this->arena.used == 1, "stacks are left", (long)hub_this->arena.used);
	expect(hub_this->loop_waits == 0, "waits are left", (long)hub_this->loop_waits);
}

void
world_free(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		hub_queue_free(world.queues[i]);
		hub_close(world.pairs[i].ends[0]);
		hub_close(world.pairs[i].ends[1]);
		close_secure(&world.secure[i]);
	}
	hub_shared_semaphore_free(world.shared_semaphore);
	hub_shared_queue_free(world.shared_queue);
}
