/* Runs a test's body in a hub, between two counts of the open descriptors. */
#include "tests/support/in_hub.h"

#include <poll.h>

#include "hub/record_priv.h"

#define PATIENCE (30 * HUB_SECOND)

void
in_hub(hub_fn *body, void *record)
{
	int before;

	descriptors_settle();
	before = open_descriptors();
	cr_assert_eq(hub_run(body, record, NULL), 0, "hub_run fails");
	/* A lookup that nobody waits for any more goes on in its thread, where libc opens files. */
	for (int left = 1000; left > 0 && open_descriptors() != before; left--)
		poll(NULL, 0, 10);
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

bool
in_world(void)
{
	return false;
}
