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

/* libunwind opens two descriptors at the first backtrace of a process, for ever. */
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
	/* In the kernel, too: the loop polls for it. */
	hub_sleep(1);
}
