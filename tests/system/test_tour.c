/* The tour in hub/README.md is a program that does what the page says. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"

static struct program program;

static int
shell(const char *command)
{
	char *argv[] = {"/bin/sh", "-c", (char *)(uintptr_t)command, NULL};

	cr_assert(program_start(&program, argv, 0));
	return program_wait(&program, 300);
}

Test(tour, is_built_and_prints_what_the_page_says, .timeout = 600)
{
	static const char expected[] =
		"yielded 1\nyielded 2\nyielded 3\nsomething; there is no nothing\nin time: no\n"
		"nursery: there is no nothing\necho: hello\n";
	char folder[] = "/tmp/hubbub-tour-XXXXXX", command[4096];

	cr_assert_not_null(mkdtemp(folder));
	snprintf(command, sizeof command,
		"sed -n '/^```c$/,/^```$/{/^```/d;p}' %s/hub/README.md >%s/tour.c && "
		"cc -Wall -I%s/include %s/tour.c -o %s/tour -L%s/lib -lhubbub-hub "
		"-Wl,-rpath,%s/lib && "
		"%s/tour; code=$?; rm -r %s; exit $code",
		HUBBUB_SOURCE_DIR, folder, HUBBUB_BUILD_DIR, folder, folder, HUBBUB_BUILD_DIR,
		HUBBUB_BUILD_DIR, folder, folder);
	cr_assert_eq(shell(command), 0, "%s", program.text);
	cr_assert_str_eq(program.text, expected);
	program_end(&program);
}
