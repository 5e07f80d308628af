#include "master/base/output.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a program exits with that prints that to a file, or with NULL to a closed descriptor, and
 * means to exit with that code; said is how often it complains. */
static int
run(const char *file, const char *text, int code, int *said)
{
	int ends[2], status;
	char heard[512];
	ssize_t length;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(STDOUT_FILENO);
		if (file != NULL && open(file, O_WRONLY) != STDOUT_FILENO)
			_exit(99);
		dup2(ends[1], STDERR_FILENO);
		output_guard();
		fputs(text, stdout);
		if (output_end() != 0 && code == 0)
			code = 7;
		exit(code);
	}
	close(ends[1]);
	*said = 0;
	length = read(ends[0], heard, sizeof heard - 1);
	heard[length > 0 ? length : 0] = '\0';
	for (const char *at = heard; (at = strstr(at, "cannot be written")) != NULL; at++)
		++*said;
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(output, that_is_lost_is_said_once_and_is_a_failure)
{
	int said;

	cr_assert_eq(run("/dev/full", "text", 0, &said), 1);
	cr_assert_eq(said, 1);
	cr_assert_eq(run(NULL, "text", 0, &said), 1, "it was closed");
	cr_assert_eq(said, 1);
}

Test(output, that_is_written_or_empty_changes_no_exit_code)
{
	int said;

	for (int code = 0; code < 3; code++) {
		cr_assert_eq(run("/dev/null", "text", code, &said), code);
		cr_assert_eq(said, 0);
		cr_assert_eq(run("/dev/full", "", code, &said), code, "nothing was lost");
		cr_assert_eq(said, 0);
		cr_assert_eq(run(NULL, "", code, &said), code);
		cr_assert_eq(said, 0);
	}
}

/* A socket that became the standard output would get what is printed. */
Test(output, no_descriptor_becomes_a_standard_one)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		for (int fd = 0; fd <= 2; fd++)
			close(fd);
		output_guard();
		_exit(dup(STDIN_FILENO) > STDERR_FILENO ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}
