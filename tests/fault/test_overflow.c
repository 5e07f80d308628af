/* Overflowing a stack names the coroutine and ends the process by SIGSEGV. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"

static void
overflows(char *how, const char *guard)
{
	char *argv[] = {program_path("overflow"), how, NULL};
	struct program program;
	int code;

	setenv("HUBBUB_STACK_GUARD", guard, 1);
	cr_assert(program_start(&program, argv, 0));
	code = program_wait(&program, 30);
	cr_assert_not_null(strstr(program.text, "stack overflow in coroutine \"the deep one\""),
		"%s", program.text);
	cr_assert_not_null(strstr(program.text, "its stack is 64 KiB"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "HUBBUB_STACK_SIZE=1M"), "%s", program.text);
	/* A sanitizer reports the same fault in its own way, and exits. */
	if (strstr(program.text, "AddressSanitizer") == NULL)
		cr_assert_eq(code, 128 + SIGSEGV, "%d: %s", code, program.text);
	program_end(&program);
}

Test(overflow, small_frames, .timeout = 600)
{
	overflows("deep", "marker");
	overflows("deep", "protect");
}

Test(overflow, frames_of_twelve_kibibytes, .timeout = 600)
{
	overflows("wide", "marker");
	overflows("wide", "protect");
}

Test(overflow, one_frame_that_is_larger_than_the_guard, .timeout = 600)
{
	overflows("step", "marker");
	overflows("step", "protect");
}
