/* Acts on what coroutines synchronize by, also with other threads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/chaos_acts.h"
#include "tests/fault/chaos_world.h"

bool
do_sleep(unsigned i)
{
	if (hub_sleep(i == 0 ? 0 : below(2000) * HUB_MICROSECOND) == 0)
		return true;
	expect_interrupted("sleep");
	return false;
}

bool
do_event(unsigned i)
{
	switch (below(3)) {
	case 0:
		hub_event_set(&world.events[i]);
		return true;
	case 1:
		hub_event_clear(&world.events[i]);
		return true;
	default:
		if (hub_event_wait(&world.events[i]) == 0)
			return true;
		expect_interrupted("event");
		return false;
	}
}

bool
do_semaphore(unsigned i)
{
	if (hub_semaphore_acquire(&world.semaphores[i]) != 0) {
		expect_interrupted("semaphore");
		return false;
	}
	world.permits[i]++;
	expect(world.permits[i] <= PERMITS, "more permits than there are", world.permits[i]);
	hub_sleep(below(300) * HUB_MICROSECOND);
	world.permits[i]--;
	hub_semaphore_release(&world.semaphores[i]);
	return true;
}

bool
do_lock(unsigned i)
{
	if (hub_lock_acquire(&world.locks[i]) != 0) {
		expect_interrupted("lock");
		return false;
	}
	expect(!world.is_locked[i], "a lock is held twice", i);
	world.is_locked[i] = true;
	hub_sleep(0);
	if (below(3) == 0) {
		/* A waiter owns the lock again afterwards, whatever ended the wait. */
		world.is_locked[i] = false;
		hub_condition_wait(&world.conditions[i], &world.locks[i]);
		expect(!world.is_locked[i], "a condition gives back a lock that is held", i);
		world.is_locked[i] = true;
	}
	world.is_locked[i] = false;
	expect(hub_lock_release(&world.locks[i]) == 0, "a held lock is not released", errno);
	return true;
}

bool
do_notify(unsigned i)
{
	if (below(2))
		hub_condition_notify(&world.conditions[i]);
	else
		hub_condition_notify_all(&world.conditions[i]);
	return true;
}

bool
do_put(unsigned i)
{
	if (hub_queue_put_priority(world.queues[i], &world, below(10)) == 0) {
		world.puts++;
		return true;
	}
	expect_interrupted("queue put");
	return false;
}

bool
do_get(unsigned i)
{
	void *item = NULL;

	if (hub_queue_get(world.queues[i], &item) == 0) {
		expect(item == &world, "another item comes out than went in", i);
		world.gets++;
		return true;
	}
	expect_interrupted("queue get");
	return false;
}

bool
do_channel_put(unsigned i)
{
	if (hub_channel_put(&world.channels[i], &world) == 0) {
		world.channel_puts++;
		return true;
	}
	expect_interrupted("channel put");
	return false;
}

bool
do_channel_get(unsigned i)
{
	void *item = NULL;

	if (hub_channel_get(&world.channels[i], &item) == 0) {
		expect(item == &world, "another item comes out of a channel", i);
		world.channel_gets++;
		return true;
	}
	expect_interrupted("channel get");
	return false;
}

bool
do_select(unsigned i)
{
	struct hub_case cases[] = {
		hub_case_get(world.queues[i]),
		hub_case_put(world.queues[(i + 1) % OBJECTS], &world),
		hub_case_channel_get(&world.channels[i]),
		hub_case_channel_put(&world.channels[(i + 1) % OBJECTS], &world),
		hub_case_event(&world.events[i]),
		hub_case_semaphore(&world.semaphores[i]),
		hub_case_fd(world.pairs[i].ends[0], POLLIN),
	};
	int index;

	for (size_t j = 0; j < 7; j++)
		if (below(3) == 0)
			cases[j].kind = HUB_CASE_NEVER;
	index = hub_select(cases, 7, below(3) == 0 ? 0 : below(2000) * HUB_MICROSECOND);
	switch (index) {
	case -1:
		expect(is_interrupted() || errno == EAGAIN || errno == EBADF, "select", errno);
		return false;
	case 0:
		world.gets++;
		expect(cases[0].item == &world, "select gives another item", 0);
		break;
	case 1:
		world.puts++;
		break;
	case 2:
		world.channel_gets++;
		expect(cases[2].item == &world, "select gives another item", 2);
		break;
	case 3:
		world.channel_puts++;
		break;
	case 5:
		hub_semaphore_release(&world.semaphores[i]);
		break;
	}
	expect(cases[index].error == 0 || index == 6, "a case fails", cases[index].error);
	return true;
}

static void *
give_self(void *argument)
{
	do_sleep(1);
	return argument;
}

bool
do_result(unsigned i)
{
	struct hub_result *result = calloc(1, sizeof *result);
	struct hub_coroutine *own = hub_spawn(give_self, &world);
	void *value = NULL;
	bool has_arrived;

	(void)i;
	hub_result_link(result, own);
	has_arrived = below(2) && hub_result_get(result, &value, NULL) == 0;
	expect(!has_arrived || value == &world || value == NULL, "another result", 0);
	if (!hub_result_is_set(result))
		hub_result_set(result, NULL);
	memset(result, 0xa5, sizeof *result);
	free(result);
	hub_detach(own);
	return has_arrived;
}

static void *
compute(void *argument)
{
	return argument;
}

bool
do_offload(unsigned i)
{
	void *result = NULL;

	if (hub_offload(compute, &world, &result) == 0) {
		expect(result == &world, "another result comes from offload", i);
		return true;
	}
	expect_interrupted("offload");
	return false;
}

bool
do_shared(unsigned i)
{
	void *item;

	switch (below(3)) {
	case 0:
		if (hub_shared_semaphore_acquire(world.shared_semaphore) != 0)
			return false;
		hub_sleep(below(300) * HUB_MICROSECOND);
		return hub_shared_semaphore_release(world.shared_semaphore) == 0;
	case 1:
		if (hub_shared_queue_put(world.shared_queue, &world) != 0)
			return false;
		world.shared_puts++;
		return true;
	default:
		if (hub_shared_queue_get(world.shared_queue, &item) != 0)
			return false;
		world.shared_gets++;
		expect(item == &world, "another item comes out of a shared queue", i);
		return true;
	}
}
