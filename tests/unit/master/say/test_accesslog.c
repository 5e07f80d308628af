#include "master/say/accesslog.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/folder.h"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 16], moved[FOLDER_SIZE + 16];

static void
start(void)
{
	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/access", folder);
	snprintf(moved, sizeof moved, "%s/access.1", folder);
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(accesslog, .init = start, .fini = end);

static long
size_of(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 ? (long)status.st_size : -1;
}

Test(accesslog, is_opened_again_by_its_name)
{
	int fd = accesslog_open(path);

	cr_assert_gt(fd, 2);
	cr_assert_eq(write(fd, "abc", 3), 3);
	cr_assert_eq(rename(path, moved), 0);
	cr_assert_eq(write(fd, "de", 2), 2);
	complaint_listen();
	cr_assert(accesslog_reopen(path, fd));
	cr_assert_not_null(strstr(complaint_heard(), "the access log is reopened"));
	cr_assert_eq(write(fd, "f", 1), 1);
	cr_assert_eq(size_of(moved), 5);
	cr_assert_eq(size_of(path), 1);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC, "a program that a worker starts has it not");
	close(fd);
}

Test(accesslog, that_cannot_be_opened_again_stays_as_it_is)
{
	int fd = accesslog_open(path);

	cr_assert_eq(rename(path, moved), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	complaint_listen();
	cr_assert_not(accesslog_reopen(path, fd));
	cr_assert_not_null(strstr(complaint_heard(), "cannot reopen the access log"));
	cr_assert_eq(write(fd, "abc", 3), 3);
	cr_assert_eq(size_of(moved), 3);
	close(fd);
}

/* Or the start would wait for ever. */
Test(accesslog, a_pipe_without_a_reader_is_not_waited_for, .timeout = 60)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(accesslog_open(path), -1);
	cr_assert_eq(errno, ENXIO);
}

Test(accesslog, an_empty_file_becomes_the_users)
{
	struct stat status;
	int fd = accesslog_open(path);

	if (geteuid() != 0)
		cr_skip_test("needs root");
	accesslog_give(fd, 12, 34);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert(status.st_uid == 12 && status.st_gid == 34);
	cr_assert_eq(write(fd, "abc", 3), 3);
	accesslog_give(fd, 56, 78);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert_eq(status.st_uid, 12);
	close(fd);
}

Test(accesslog, that_the_user_cannot_open_again_is_told_of)
{
	int fd = accesslog_open(path);

	complaint_listen();
	accesslog_check(path);
	cr_assert_str_eq(complaint_heard(), "");
	cr_assert_eq(unlink(path), 0);
	complaint_listen();
	accesslog_check(path);
	cr_assert_not_null(strstr(complaint_heard(), "cannot open the access log"));
	close(fd);
}
