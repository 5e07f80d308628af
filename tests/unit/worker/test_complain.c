#include "worker/complain.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/unit/worker/shared.h"

TestSuite(complain, .init = shared_begin, .fini = shared_end, .timeout = 60);

/* Complains twice, and reads what was logged. */
static void
complain_twice(char *text, size_t size)
{
	int saved = dup(STDERR_FILENO), ends[2];
	ssize_t length;

	cr_assert_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	complain(counters, "the %s one", "first");
	complain(counters, "the %s one", "second");
	dup2(saved, STDERR_FILENO);
	close(saved);
	length = read(ends[0], text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(ends[0]);
}

Test(complain, the_whole_server_logs_one_line_within_a_second)
{
	char text[1024];

	complain_twice(text, sizeof text);
	cr_assert_not_null(strstr(text, "the first one\n"));
	cr_assert_null(strstr(text, "second"));
	cr_assert_gt(counters->next_complaint, clock_now());
	cr_assert_leq(counters->next_complaint, clock_now() + CLOCK_SECOND);
	/* By another process, too: the clock is in shared memory. */
	complain_twice(text, sizeof text);
	cr_assert_str_empty(text);
}

/* What a worker has written over the clock silences nobody. */
Test(complain, a_clock_of_the_far_future_is_set_right)
{
	char text[1024];

	counters->next_complaint = INT64_MAX;
	complain_twice(text, sizeof text);
	cr_assert_not_null(strstr(text, "the first one\n"));
	cr_assert_null(strstr(text, "second"));
	cr_assert_leq(counters->next_complaint, clock_now() + CLOCK_SECOND);
}

Test(complain, the_next_line_may_come_a_second_later)
{
	char text[1024];

	counters->next_complaint = clock_now();
	complain_twice(text, sizeof text);
	cr_assert_not_null(strstr(text, "the first one\n"));
}
