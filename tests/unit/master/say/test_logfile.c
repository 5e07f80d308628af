#include "master/say/logfile.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"
#include "worker/spare.h"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], moved[FOLDER_SIZE + 16];
static int before;

/* Standard error becomes a file of the test's own. */
static void
start(void)
{
	int fd;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	snprintf(moved, sizeof moved, "%s/log.1", folder);
	before = dup(STDERR_FILENO);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void
end(void)
{
	dup2(before, STDERR_FILENO);
	folder_remove(folder);
}

TestSuite(logfile, .init = start, .fini = end);

static void
say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static bool
has(const char *file, const char *text)
{
	char content[4096] = "";
	FILE *stream = fopen(file, "r");
	size_t length;

	if (stream == NULL)
		return false;
	length = fread(content, 1, sizeof content - 1, stream);
	content[length] = '\0';
	fclose(stream);
	return strstr(content, text) != NULL;
}

Test(logfile, after_a_rotation_there_is_another_file_of_the_same_name)
{
	logfile_remember();
	say("before");
	cr_assert_eq(rename(path, moved), 0);
	say("meanwhile");
	cr_assert(logfile_reopen());
	say("after");
	cr_assert(has(moved, "before") && has(moved, "meanwhile") && !has(moved, "after"));
	cr_assert(has(path, "after") && !has(path, "before"));
}

Test(logfile, a_file_that_is_still_there_is_added_to)
{
	logfile_remember();
	say("before");
	cr_assert(logfile_reopen());
	say("after");
	cr_assert(has(path, "before") && has(path, "after"));
}

/* As a shell opens it for "2>log", for all that it starts. */
Test(logfile, who_has_it_as_it_was_opened_overwrites_nothing)
{
	char line[1024];
	int fd = open(path, O_WRONLY | O_TRUNC), shared;

	memset(line, '.', sizeof line);
	dup2(fd, STDERR_FILENO);
	close(fd);
	shared = dup(STDERR_FILENO);
	logfile_remember();
	cr_assert(logfile_reopen());
	say("after");
	cr_assert_eq(write(shared, line, sizeof line), (ssize_t)sizeof line);
	cr_assert(has(path, "the log is reopened") && has(path, "after") && has(path, "...."));
	close(shared);
}

Test(logfile, a_name_that_cannot_be_opened_leaves_the_old_file)
{
	char aside[FOLDER_SIZE + 16];

	logfile_remember();
	snprintf(aside, sizeof aside, "%s.aside", folder);
	cr_assert_eq(rename(folder, aside), 0);
	cr_assert_not(logfile_reopen());
	say("after");
	cr_assert_eq(rename(aside, folder), 0);
	cr_assert(has(path, "cannot reopen the log"));
	cr_assert(has(path, path) && has(path, "No such file"), "it names the file, and why");
	cr_assert(has(path, "after"));
}

Test(logfile, what_is_no_file_is_not_reopened)
{
	complaint_listen();
	dup2(before, STDERR_FILENO);
	close(STDERR_FILENO);
	/* A terminal, a pipe, a journal's socket. */
	cr_assert_eq(open("/dev/null", O_WRONLY), STDERR_FILENO);
	logfile_remember();
	cr_assert_not(logfile_reopen());
	cr_assert_str_eq(complaint_heard(), "");
}

/* Another master was started after the file had been moved: the kernel knows the new name alone. */
Test(logfile, the_name_is_the_former_masters)
{
	logfile_remember();
	cr_assert_str_eq(logfile_name(), path);
	cr_assert_eq(rename(path, moved), 0);
	logfile_remember();
	cr_assert_str_eq(logfile_name(), moved);
	logfile_inherit(path);
	cr_assert(logfile_reopen());
	say("after");
	cr_assert(has(path, "after") && !has(moved, "after"));
	/* One that names none, and nonsense. */
	logfile_inherit("");
	logfile_inherit("log");
	cr_assert_str_eq(logfile_name(), path);
}

Test(logfile, a_file_that_was_removed_before_has_its_name)
{
	cr_assert_eq(unlink(path), 0);
	logfile_remember();
	cr_assert_str_eq(logfile_name(), path);
	cr_assert(logfile_reopen());
	say("after");
	cr_assert(has(path, "after"));
}

Test(logfile, it_is_reopened_though_files_have_run_out)
{
	struct rlimit limit = {0, RLIM_INFINITY};

	spare_keep();
	logfile_remember();
	cr_assert_eq(rename(path, moved), 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)open_descriptors() + 20;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (open("/dev/null", O_RDONLY) != -1)
		continue;
	for (int i = 0; i < 3; i++)
		cr_assert(logfile_reopen());
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	say("after");
	cr_assert(has(path, "after") && !has(moved, "after"));
}
