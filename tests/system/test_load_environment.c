/* hubbub-load: which options it takes from the environment. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"

static struct program program;

static void
clean(void)
{
	if (program.output > 0)
		program_end(&program);
}

TestSuite(load_environment, .fini = clean, .timeout = 600);

/* Runs hubbub-load to its end, with arguments up to NULL; returns the exit code. */
static int __attribute__((sentinel)) run(char *first, ...)
{
	char *argv[16] = {program_path("hubbub-load"), first};
	int count = 2;
	va_list more;

	va_start(more, first);
	while (count < 15 && (argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	if (program.output > 0)
		program_end(&program);
	cr_assert(program_start(&program, argv, 0));
	return program_wait(&program, 60);
}

Test(load_environment, the_environment_decides_nothing_that_the_command_line_does)
{
	setenv("HUBBUB_LOAD_JSON", "1", 1);
	setenv("HUBBUB_LOAD_RATE", "5k", 1);
	cr_assert_eq(
		run("--print-config", "-o/tmp/x", "--closed=3", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--output=/tmp/x\n"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n# --rate (default"), "%s", program.text);
	cr_assert_eq(run("--print-config", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--json\n"), "%s", program.text);
	setenv("HUBBUB_LOAD_JSON", "0", 1);
	cr_assert_eq(run("--print-config", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n# --json is off\n"), "%s", program.text);
	setenv("HUBBUB_LOAD_CLOSED", "3", 1);
	cr_assert_eq(run("--print-config", "-R5k", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n# --closed=1 (default)\n"), "%s", program.text);
}

Test(load_environment, a_count_a_rate_or_a_closed_loop_rules_out_its_rivals_in_the_environment)
{
	setenv("HUBBUB_LOAD_DURATION", "500ms", 1);
	setenv("HUBBUB_LOAD_SEARCH", "p99<2ms", 1);
	cr_assert_eq(run("--print-config", "-n1000", "-R500", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n# --duration=2 (default"), "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n# --search (default"), "%s", program.text);
	unsetenv("HUBBUB_LOAD_SEARCH");
	setenv("HUBBUB_LOAD_ARRIVALS", "poisson", 1);
	cr_assert_eq(run("--print-config", "--closed", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "\n--duration=500ms\n"), "%s", program.text);
	cr_assert_eq(run("--print-config", ":1", NULL), 2, "%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "HUBBUB_LOAD_ARRIVALS: a closed loop"), "%s", program.text);
	unsetenv("HUBBUB_LOAD_ARRIVALS");
	setenv("HUBBUB_LOAD_TLS_CA", "/nowhere", 1);
	cr_assert_eq(run("--print-config", ":1", NULL), 2, "%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "HUBBUB_LOAD_TLS_CA: needs --tls"), "%s", program.text);
}

Test(load_environment, a_variable_that_is_nearly_an_option_is_told)
{
	setenv("HUBBUB_LOAD_CONECTIONS", "5", 1);
	setenv("HUBBUB_LOAD_NO_PROGRESS", "on", 1);
	setenv("HUBBUB_LOAD_XYZZYXYZZY", "5", 1);
	cr_assert_eq(run("--print-config", ":1", NULL), 0, "%s", program.text);
	cr_assert_not_null(strstr(program.text, "HUBBUB_LOAD_CONECTIONS in the environment is no "
						"option; did you mean HUBBUB_LOAD_CONNECTIONS?"),
		"%s", program.text);
	cr_assert_not_null(
		strstr(program.text, "did you mean HUBBUB_LOAD_PLAIN?"), "%s", program.text);
	cr_assert_null(strstr(program.text, "XYZZY"), "%s", program.text);
}
