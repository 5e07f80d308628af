#include "worker/deaf.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/complaint.h"

static const struct worker_heritage heritage = {.index = 3};

TestSuite(deaf, .timeout = 20);

Test(deaf, a_hub_falls_deaf_and_says_why)
{
	struct worker_thread thread = {.index = 1, .heritage = &heritage};
	const char *heard;

	thread.commanded = 1U << THREAD_ACCEPT;
	complaint_listen();
	deaf_fall(&thread, "Bad file descriptor");
	heard = complaint_heard();
	cr_assert(thread.is_deaf);
	cr_assert_not_null(
		strstr(heard, "hub 1 of worker 3 cannot accept any more: Bad file descriptor"),
		"%s", heard);
	cr_assert_not_null(strstr(heard, "the hub counts as hung"), "%s", heard);
}

/* A hub that leaves closes its listeners itself. */
Test(deaf, one_that_leaves_does_not)
{
	for (int command = THREAD_ACCEPT + 1; command < THREAD_COMMAND_MAX; command++) {
		struct worker_thread thread = {.heritage = &heritage};

		thread.commanded = 1U << THREAD_ACCEPT | 1U << command;
		complaint_listen();
		deaf_fall(&thread, "Bad file descriptor");
		cr_assert_str_eq(complaint_heard(), "", "%d", command);
		cr_assert_not(thread.is_deaf, "%d", command);
	}
}
