/* A program that dies by abort(3) while a coroutine is parked, for tests of debuggers. */
#include <hubbub/hub.h>
#include <stdlib.h>

static void *
wait_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
body(void *argument)
{
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
