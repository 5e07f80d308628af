#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/load/ask/load.h"
#include "tests/load/run/commands.h"

#define COMMAND(...)                                                                               \
	command_merge(sizeof((char *[]){"hubbub-load", __VA_ARGS__}) / sizeof(char *),             \
		(char *[]){"hubbub-load", __VA_ARGS__, NULL})

Test(command_merge, wrong_usage_and_files_that_cannot_be_read_are_told_apart)
{
	cr_assert_not_null(freopen("/dev/null", "w", stderr));
	cr_assert_eq(COMMAND("--help"), LOAD_DONE);
	cr_assert_eq(COMMAND("a.json"), LOAD_USAGE, "one alone");
	cr_assert_eq(COMMAND("--fail-if=fast", "a.json", "b.json"), LOAD_USAGE, "no gate");
	cr_assert_eq(COMMAND("--fast", "a.json", "b.json"), LOAD_USAGE, "no such option");
	cr_assert_eq(COMMAND("/nowhere/a.json", "-o", "x", "/nowhere/b.json"), LOAD_FAILED);
}
