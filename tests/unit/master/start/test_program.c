#include "master/start/program.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/folder.h"

static char folder[FOLDER_SIZE], own[PATH_MAX], text[2 * PATH_MAX];

/* folder/current -> 1, and folder/1/program is a link to this program. */
static void
begin(void)
{
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

	cr_assert_gt(length, 0);
	own[length] = '\0';
	cr_assert(folder_make(folder));
	cr_assert_eq(chdir(folder), 0);
	cr_assert_eq(mkdir("1", 0755), 0);
	cr_assert_eq(symlink(own, "1/program"), 0);
	cr_assert_eq(symlink("1", "current"), 0);
	unsetenv("PWD");
}

static void
end(void)
{
	cr_assert_eq(chdir("/"), 0);
	folder_remove(folder);
}

TestSuite(program, .init = begin, .fini = end);

static void
expect_in_folder(const char *name)
{
	snprintf(text, sizeof text, "%s/%s", folder, name);
	cr_expect_str_eq(program_remembered(), text);
}

Test(program, keeps_the_links_of_its_name_and_makes_it_absolute)
{
	const char *why;

	program_remember_as("current/program");
	expect_in_folder("current/program");
	program_remember_as("./current/program");
	expect_in_folder("./current/program");
	snprintf(text, sizeof text, "%s/current/program", folder);
	program_remember_as(text);
	expect_in_folder("current/program");
	cr_expect(program_is_there(&why));
	unlink("1/program");
	cr_expect_not(program_is_there(&why));
	snprintf(text, sizeof text, "cannot execute %s/current/program: No such file or directory",
		folder);
	cr_expect_str_eq(why, text);
}

Test(program, a_folder_is_called_as_the_shell_calls_it_if_that_is_true)
{
	cr_assert_eq(chdir("current"), 0);
	program_remember_as("program");
	expect_in_folder("1/program");
	snprintf(text, sizeof text, "%s/current", folder);
	setenv("PWD", text, 1);
	program_remember_as("program");
	expect_in_folder("current/program");
	setenv("PWD", folder, 1);
	program_remember_as("program");
	expect_in_folder("1/program");
	setenv("PWD", ".", 1);
	program_remember_as("program");
	expect_in_folder("1/program");
}

Test(program, a_name_that_is_not_this_programs_does_not_count)
{
	char name[PATH_MAX + 2];
	FILE *other = fopen("other", "w");

	cr_assert_not_null(other);
	fclose(other);
	memset(name, '/', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	memcpy(name + sizeof name - 1 - strlen("program"), "program", strlen("program"));
	const char *names[] = {"other", "nothing", "", NULL, "/proc/self/exe", "/dev/fd/3", name};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		program_remember_as("current/program");
		program_remember_as(names[i]);
		cr_expect_str_eq(program_remembered(), own, "name %zu", i);
	}
}

Test(program, this_one_was_named_by_whoever_started_it)
{
	const char *why;
	struct stat now, then;

	program_remember();
	cr_assert(program_is_there(&why), "%s", why);
	cr_assert_eq(stat(program_remembered(), &now), 0);
	cr_assert_eq(stat(own, &then), 0);
	cr_assert_eq(now.st_ino, then.st_ino);
}
