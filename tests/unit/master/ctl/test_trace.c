#include "master/ctl/trace.h"

#include <criterion/criterion.h>

Test(trace, says_why_there_is_none)
{
	struct trace trace = {.seconds = "1", .path = "-", .limit = TRACE_LIMIT};
	struct dialogue dialogue = {.path = "/nonexistent/x.sock", .patience = 1, .limit = 1};

	cr_assert_eq(trace_run(&trace, &dialogue), 1);
	cr_assert_not_null(
		strstr(trace.message, "cannot talk to /nonexistent/x.sock"), "%s", trace.message);
}
