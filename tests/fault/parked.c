/* A program that dies by abort(3) while coroutines are parked, for tests of debuggers. */
#include <hubbub/hub.h>
#include <stdlib.h>

static void *
wait_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
wait_for_lock(void *lock)
{
	hub_lock_acquire(lock);
	return NULL;
}

static void *
body(void *argument)
{
	static struct hub_lock lock;

	hub_set_name(hub_current(), "the holder");
	hub_lock_acquire(&lock);
	hub_set_name(hub_spawn(wait_for_lock, &lock), "the next one");
	hub_set_name(hub_spawn(wait_for_ever, NULL), "the parked one");
	hub_sleep(HUB_MILLISECOND);
	abort();
	return argument;
}

int
main(void)
{
	return hub_run(body, NULL, NULL);
}
