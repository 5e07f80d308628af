/* The check for leaked descriptors needs a steady state: libunwind keeps descriptors open from its
 * first backtrace on, so one backtrace is made before the first count. */
#include "tests/support/in_hub.h"

#include <fcntl.h>
#include <unistd.h>

#include "hub/record_priv.h"

#define PATIENCE (30 * HUB_SECOND)

static void *
wait_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

/* Makes libunwind open the two descriptors that it opens at a process's first backtrace and
 * keeps. */
static void *
dump_once(void *argument)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	hub_go(wait_for_ever, NULL);
	hub_sleep(0);
	hub_dump(null);
	close(null);
	return argument;
}

void
in_hub(hub_fn *body, void *record)
{
	int before;

	cr_assert_eq(hub_run(dump_once, NULL, NULL), 0, "hub_run fails");
	before = open_descriptors();

	cr_assert_eq(hub_run(body, record, NULL), 0, "hub_run fails");
	cr_assert_eq(open_descriptors(), before, "descriptors are left open");
}

void
until_it_waits(const struct hub_coroutine *coroutine)
{
	int64_t end = hub_now() + PATIENCE;

	while (coroutine->state != COROUTINE_WAITING && coroutine->state != COROUTINE_DONE &&
		hub_now() < end)
		hub_sleep(0);
	/* One more turn, in which the loop asks the kernel for what the coroutine waits for. */
	hub_sleep(1);
}
