#include "hub/base/check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs act in a child process; text becomes what that writes to standard error. Returns its
 * status. */
static int
in_child(void (*act)(void), char *text, size_t size)
{
	size_t length = 0;
	ssize_t count;
	int ends[2], status;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		static const struct rlimit no_core;

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		alarm(20);
		act();
		_exit(0);
	}
	close(ends[1]);
	while ((count = read(ends[0], text + length, size - 1 - length)) > 0)
		length += (size_t)count;
	text[length] = '\0';
	close(ends[0]);
	waitpid(child, &status, 0);
	return status;
}

static bool
has_aborted(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
check_falsely(void)
{
	int error = ENOENT;

	CHECK(error != ENOENT && error != EAGAIN);
}

static void
check_falsely_with_reason(void)
{
	bool is_open = false;

	CHECK_WHY(is_open, "the box is shut");
}

static const int line_with_reason = __LINE__ - 3;

static void
check_truly(void)
{
	CHECK(sizeof(int) >= 2);
	CHECK_WHY(sizeof(char) == 1, "a byte has grown");
}

Test(check, a_false_one_ends_the_process_with_its_condition)
{
	char text[1024];
	int status = in_child(check_falsely, text, sizeof text);

	cr_assert(has_aborted(status), "status %x: %s", status, text);
	cr_assert_not_null(strstr(text, "hubbub: "), "%s", text);
	cr_assert_not_null(strstr(text, "test_check.c:"), "%s", text);
	cr_assert_not_null(strstr(text, ": check failed: error != ENOENT && error != EAGAIN (a bug "
					"in hubbub)\n"),
		"%s", text);
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line: %s", text);
}

Test(check, a_false_one_names_its_line_and_reason)
{
	char text[1024], line[64];
	int status = in_child(check_falsely_with_reason, text, sizeof text);

	snprintf(line, sizeof line, "test_check.c:%d: check failed: is_open (the box is shut)\n",
		line_with_reason);
	cr_assert(has_aborted(status), "status %x: %s", status, text);
	cr_assert_not_null(strstr(text, line), "%s", text);
}

Test(check, a_true_one_does_nothing)
{
	char text[1024];
	int status = in_child(check_truly, text, sizeof text);

	cr_assert(WIFEXITED(status), "status %x: %s", status, text);
	cr_assert_str_empty(text);
}

/* ---- DCHECK ---- */

static unsigned looks;

static bool
is_seen(void)
{
	looks++;
	return true;
}

static void
dcheck_falsely(void)
{
	DCHECK(looks > 0);
}

#ifdef HUBBUB_DCHECKS
Test(check, a_dcheck_is_a_check_with_HUBBUB_DCHECKS)
{
	char text[1024];
	int status = in_child(dcheck_falsely, text, sizeof text);

	cr_assert(has_aborted(status), "status %x: %s", status, text);
	cr_assert_not_null(
		strstr(text, ": check failed: looks > 0 (a bug in hubbub)\n"), "%s", text);
	DCHECK(is_seen());
	cr_assert_eq(looks, 1);
}
#else
Test(check, a_dcheck_evaluates_nothing_without_HUBBUB_DCHECKS)
{
	char text[1024];
	int status = in_child(dcheck_falsely, text, sizeof text);

	cr_assert(WIFEXITED(status), "status %x: %s", status, text);
	cr_assert_str_empty(text);
	DCHECK(is_seen());
	cr_assert_eq(looks, 0);
}
#endif
