/* What the programs say of themselves: --help, --help-all, --usage, --version. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"

static struct program program;

/* Runs the program with this option to its end. */
static void
say(const char *name, const char *option)
{
	char *argv[] = {program_path(name), (char *)(uintptr_t)option, NULL};

	if (program.output > 0)
		program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	cr_assert_eq(program_wait(&program, 20), 0, "%s %s: %s", name, option, program.text);
}

static void
end(void)
{
	program_end(&program);
}

TestSuite(told, .fini = end, .timeout = 600);

static const char *const programs[] = {"hubbub-echo", "hubbub-load", "hubbub-ctl"};

Test(told, help_has_three_names)
{
	static const char *const names[] = {"-h", "-?", "--usage"};

	for (int i = 0; i < 9; i++) {
		say(programs[i / 3], names[i % 3]);
		cr_assert_not_null(strstr(program.text, "Usage: hubbub-"), "%s", program.text);
	}
}

/* Two screens of 24 lines, with a newcomer's options, two examples, and the way to all others. */
Test(told, help_fits_two_screens)
{
	for (int i = 0; i < 3; i++) {
		const char *name = programs[i], *example;

		say(name, "--help");
		cr_assert_leq(
			program_lines(&program), 48, "%s: %d lines", name, program_lines(&program));
		example = strstr(program.text, "Examples:\n  hubbub-");
		cr_assert_not_null(example, "%s", program.text);
		cr_assert_not_null(strstr(example + 20, "\n  hubbub-"), "%s", program.text);
		/* Of hubbub-ctl it is all. */
		if (strcmp(name, "hubbub-ctl") != 0)
			cr_assert_not_null(strstr(program.text, "--help-all"), "%s", program.text);
		for (char *line = strtok(program.text, "\n"); line != NULL;
			line = strtok(NULL, "\n"))
			cr_assert_leq(strlen(line), 80, "%s", line);
	}
}

Test(told, the_help_of_all_fits_eighty_columns_and_names_every_option)
{
	static const char *const options[] = {"--listen", "--processes", "--threads", "--backlog",
		"--drain-timeout", "--stack-size", "--pin", "--backend", "--pidfile", "--user",
		"--group", "--log-level", "--log-format", "--check", "--max-connections",
		"--idle-timeout", "--write-timeout", "--drain-delay", "--hang-timeout", "--balance",
		"--admin", "--control", "--print-config", "--help", "--version", "--reply", "@FILE",
		"--usage", "Times are seconds, or have a unit", "quotes are not special"};

	say("hubbub-echo", "--help-all");
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		cr_assert_not_null(strstr(program.text, options[i]), "%s", options[i]);
	for (char *line = strtok(program.text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		cr_assert_leq(strlen(line), 80, "%s", line);
}

/* Whether the version names a commit of this clone, or none, if this is no clone. */
static bool
has_right_commit(const char *version)
{
	char command[512];
	const char *commit = strstr(version, ", commit ");

	if (commit == NULL)
		return system("git -C " HUBBUB_SOURCE_DIR " rev-parse -q HEAD >/dev/null 2>&1") !=
		       0;
	commit += strlen(", commit ");
	snprintf(command, sizeof command, "git -C %s cat-file -e %.*s", HUBBUB_SOURCE_DIR,
		(int)strspn(commit, "0123456789abcdef"), commit);
	return system(command) == 0;
}

Test(told, version_has_the_facts_of_the_build)
{
	for (int i = 0; i < 3; i++) {
		const char *name = programs[i];
		char wanted[64];

		say(name, "--version");
		snprintf(wanted, sizeof wanted, "%s 0.", name);
		cr_assert_not_null(strstr(program.text, wanted), "%s", program.text);
		cr_assert(has_right_commit(program.text), "%s", program.text);
		if (strcmp(name, "hubbub-ctl") != 0)
			cr_assert_not_null(
				strstr(program.text, " with epoll, "), "%s", program.text);
	}
}
