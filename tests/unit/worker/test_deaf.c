#include "worker/deaf.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/complaint.h"

static const struct worker_heritage heritage = {.index = 3};

TestSuite(deaf, .timeout = 20);

/* What is logged of a hub that has been deaf for so long. */
static const char *
heard_after(struct worker_thread *thread, int64_t nanoseconds)
{
	thread->deaf_since = hub_now() - nanoseconds;
	complaint_listen();
	deaf_tell(thread);
	return complaint_heard();
}

Test(deaf, a_hub_falls_deaf_and_says_why)
{
	struct worker_thread thread = {.index = 1, .heritage = &heritage};
	const char *heard;

	thread.commanded = 1U << THREAD_ACCEPT;
	deaf_fall(&thread, EBADF);
	cr_assert_neq(thread.deaf_since, 0);
	heard = heard_after(&thread, HUB_SECOND);
	cr_assert_not_null(
		strstr(heard, "hub 1 of worker 3 cannot accept any more: Bad file descriptor"),
		"%s", heard);
	cr_assert_not_null(strstr(heard, "the hub counts as hung"), "%s", heard);
	cr_assert_str_eq(heard_after(&thread, 2 * HUB_SECOND), "", "it is said once");
}

/* A hub that leaves closes its listeners itself. */
Test(deaf, one_that_leaves_does_not)
{
	for (int command = THREAD_ACCEPT + 1; command < THREAD_COMMAND_MAX; command++) {
		struct worker_thread thread = {.heritage = &heritage};

		thread.commanded = 1U << THREAD_ACCEPT | 1U << command;
		deaf_fall(&thread, EBADF);
		cr_assert_eq(thread.deaf_since, 0, "%d", command);
	}
}

/* The master has shut its listener down before the hub has read that it is to leave. */
Test(deaf, one_that_is_told_to_leave_right_after_says_nothing)
{
	struct worker_thread thread = {.heritage = &heritage};

	thread.commanded = 1U << THREAD_ACCEPT;
	deaf_fall(&thread, EINVAL);
	cr_assert_str_eq(heard_after(&thread, HUB_SECOND / 10), "");
	thread.commanded |= 1U << THREAD_HANDOVER;
	cr_assert_str_eq(heard_after(&thread, 2 * HUB_SECOND), "");
}
