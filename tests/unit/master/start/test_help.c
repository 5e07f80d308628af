#include "master/start/help.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The letter of the option of that name; 0 if there is none. */
static int
letter_of(const struct argp_option *options, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (options[i].name != NULL && strcmp(options[i].name, name) == 0)
			return options[i].key;
	return 0;
}

Test(help, h_is_anothers_letter_if_that_has_it)
{
	struct argp_option options[HELP_OPTIONS_MAX];
	size_t count = help_lay_out(options, false);

	cr_assert_eq(letter_of(options, count, "help"), 'h');
	cr_assert_eq(letter_of(options, count, "version"), 'V');
	cr_assert_neq(letter_of(options, count, "usage"), 0);
	count = help_lay_out(options, true);
	cr_assert_eq(letter_of(options, count, "help"), '?');
	for (size_t i = 0; i < count; i++)
		cr_assert_neq(options[i].key, 'h');
}

static error_t
take(int key, char *value, struct argp_state *state)
{
	(void)value;
	help_take(key, state);
	return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
}

/* What a program with no other options prints to its standard output, and exits with. */
static int
run(char *argument, char *text, size_t size)
{
	static struct argp_option options[HELP_OPTIONS_MAX + 1];
	static const struct argp argp = {.options = options, .parser = take};
	char *argv[] = {"program", argument, NULL};
	int ends[2], status;
	ssize_t length;
	pid_t child;

	memset(options, 0, sizeof options);
	help_lay_out(options, false);
	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		argp_program_version = "program 1.0";
		argp_parse(&argp, 2, argv, ARGP_NO_HELP, NULL, NULL);
		_exit(99);
	}
	close(ends[1]);
	length = read(ends[0], text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(help, is_given_by_each_of_its_names)
{
	static const char *const cases[][2] = {{"-h", "Give this help list"},
		{"-?", "Give this help list"}, {"--help", "Give this help list"},
		{"--help-all", "Give this help list"}, {"--usage", "Usage: program"},
		{"-V", "program 1.0"}, {"--version", "program 1.0"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[2048];

		cr_assert_eq(run((char *)(uintptr_t)cases[i][0], text, sizeof text), 0, "%s",
			cases[i][0]);
		cr_assert_not_null(strstr(text, cases[i][1]), "%s: %s", cases[i][0], text);
	}
}
