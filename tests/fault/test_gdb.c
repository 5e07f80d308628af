/* hub.gdb shows the coroutines of a program that has died. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/program.h"

Test(gdb, shows_parked_coroutines_and_where_they_wait, .timeout = 600)
{
	char *argv[] = {"/usr/bin/gdb", "-q", "-batch", "-ex", "set debuginfod enabled off", "-ex",
		"run", "-x", HUBBUB_SOURCE_DIR "/hub/debug/hub.gdb", "-ex", "hub list", "-ex",
		"hub bt all", program_path("parked"), NULL};
	static struct program program;
	const char *lock, *holder;

	cr_assert(program_start(&program, argv, 0));
	program_wait(&program, 300);
	cr_assert_not_null(
		strstr(program.text, "\"the parked one\": waits for sleep,"), "%s", program.text);
	lock = strstr(program.text, "\"the next one\": waits for lock (0x");
	cr_assert_not_null(lock, "%s", program.text);
	holder = strstr(lock, ") of 0x");
	cr_assert(holder != NULL && strchr(lock, '\n') > holder, "%s", program.text);
	cr_assert_not_null(strstr(holder, " \"the holder\""), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "in hub_sleep ("), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "in wait_for_ever ("), "%s", program.text);
	program_end(&program);
}

Test(gdb, says_that_symbols_are_missing, .timeout = 600)
{
	char *argv[] = {"/usr/bin/gdb", "-q", "-batch", "-x",
		HUBBUB_SOURCE_DIR "/hub/debug/hub.gdb", "-ex", "hub list", "/bin/true", NULL};
	static struct program program;

	cr_assert(program_start(&program, argv, 0));
	program_wait(&program, 300);
	cr_assert_not_null(strstr(program.text, "debug symbols are missing"), "%s", program.text);
	program_end(&program);
}
