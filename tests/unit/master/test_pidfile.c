#include "master/pidfile.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"

static char folder[FOLDER_SIZE], path[FOLDER_SIZE + 8];
static void (*meanwhile)(void); /* what happens once, between the open and the lock */
static void (*after_look)(
	void);             /* what happens once, between the look at what is there and the open */
static bool is_unwritable; /* the folder */

/* In place of libc's, for this program alone. */
int
flock(int fd, int operation)
{
	void (*happen)(void) = meanwhile;

	meanwhile = NULL;
	if (happen != NULL)
		happen();
	return (int)syscall(SYS_flock, fd, operation);
}

int
lstat(const char *name, struct stat *status)
{
	int result = fstatat(AT_FDCWD, name, status, AT_SYMLINK_NOFOLLOW), error = errno;
	void (*happen)(void) = after_look;

	after_look = NULL;
	if (happen != NULL)
		happen();
	errno = error;
	return result;
}

int
unlink(const char *name)
{
	if (is_unwritable) {
		errno = EACCES;
		return -1;
	}
	return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

static void
start(void)
{
	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/pid", folder);
}

static void
end(void)
{
	folder_remove(folder);
}

TestSuite(pidfile, .init = start, .fini = end, .timeout = 20);

static void
write_text(const char *text)
{
	FILE *stream = fopen(path, "w");

	if (stream == NULL || fputs(text, stream) == EOF || fclose(stream) != 0)
		_exit(1);
}

static bool
has(const char *text)
{
	char content[64] = "";
	FILE *stream = fopen(path, "r");

	if (stream == NULL)
		return false;
	content[fread(content, 1, sizeof content - 1, stream)] = '\0';
	fclose(stream);
	return strcmp(content, text) == 0;
}

static const char *
own_pid(void)
{
	static char text[16];

	snprintf(text, sizeof text, "%d\n", (int)getpid());
	return text;
}

static bool
is_there(void)
{
	return access(path, F_OK) == 0;
}

Test(pidfile, has_the_pid_while_it_is_taken_and_goes_after)
{
	int before = open_descriptors(), fd = pidfile_take(path);

	cr_assert_neq(fd, -1);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert(has(own_pid()));
	pidfile_remove(fd, path);
	cr_assert_not(is_there());
	cr_assert_eq(open_descriptors(), before);
	pidfile_remove(-1, path);
}

Test(pidfile, what_a_killed_server_left_is_overwritten_whole)
{
	int fd;

	write_text("123456789012345678901234567890\nand more\n");
	fd = pidfile_take(path);
	cr_assert_neq(fd, -1);
	cr_assert(has(own_pid()));
	pidfile_remove(fd, path);
}

Test(pidfile, of_a_server_that_runs_is_refused_by_name)
{
	int fd = pidfile_take(path), before = open_descriptors();
	char expected[64];
	const char *heard;

	complaint_listen();
	cr_assert_eq(pidfile_take(path), -1);
	heard = complaint_heard();
	snprintf(expected, sizeof expected, "names pid %d, which runs", (int)getpid());
	cr_assert_not_null(strstr(heard, expected), "%s", heard);
	cr_assert_eq(open_descriptors(), before);
	cr_assert(has(own_pid()));
	pidfile_remove(fd, path);
	fd = pidfile_take(path);
	cr_assert_neq(fd, -1, "the lock goes with the descriptor");
	pidfile_remove(fd, path);
}

static void
remove_it(void)
{
	syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static void
replace_it(void)
{
	remove_it();
	write_text("another\n");
}

/* Its owner ends between this server's open and lock: a lock on a file without a name would keep
 * nobody out. */
Test(pidfile, that_is_removed_while_it_is_taken_is_made_again)
{
	int fd;

	write_text("1\n");
	meanwhile = remove_it;
	fd = pidfile_take(path);
	cr_assert_neq(fd, -1);
	cr_assert(has(own_pid()));
	pidfile_remove(fd, path);
	write_text("1\n");
	meanwhile = replace_it;
	fd = pidfile_take(path);
	cr_assert_neq(fd, -1);
	cr_assert(has(own_pid()));
	pidfile_remove(fd, path);
	cr_assert_not(is_there());
}

Test(pidfile, of_another_is_not_removed)
{
	int fd = pidfile_take(path);

	/* Somebody has put another file there. */
	replace_it();
	pidfile_remove(fd, path);
	cr_assert(has("another\n"));
	/* Or has taken the same one over, as the new master of an upgrade does. */
	fd = pidfile_take(path);
	write_text("1\n");
	pidfile_remove(fd, path);
	cr_assert(has("1\n"));
}

Test(pidfile, is_emptied_where_it_cannot_be_removed)
{
	int fd = pidfile_take(path);

	is_unwritable = true;
	pidfile_remove(fd, path);
	is_unwritable = false;
	cr_assert(has(""));
}

Test(pidfile, is_a_regular_file_or_none)
{
	char target[sizeof path + 8];
	int before = open_descriptors();
	const char *heard;

	snprintf(target, sizeof target, "%s.target", path);
	complaint_listen();
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(pidfile_take(path), -1, "a fifo");
	remove_it();
	cr_assert_eq(symlink(target, path), 0);
	cr_assert_eq(pidfile_take(path), -1, "a link");
	cr_assert_neq(access(target, F_OK), 0, "it was followed");
	remove_it();
	cr_assert_eq(pidfile_take(folder), -1, "a folder");
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "is no regular file; choose another path"), "%s", heard);
	cr_assert_eq(open_descriptors(), before);
}

static void
put_link(void)
{
	if (symlink("target", path) != 0)
		_exit(1);
}

/* Whoever may write in the folder must not have root write elsewhere. */
Test(pidfile, a_link_that_comes_while_it_is_taken_is_not_followed)
{
	char target[sizeof path + 8];

	snprintf(target, sizeof target, "%s/target", folder);
	complaint_listen();
	after_look = put_link;
	cr_assert_eq(pidfile_take(path), -1);
	complaint_heard();
	cr_assert_neq(access(target, F_OK), 0, "it was followed");
}

Test(pidfile, without_a_folder_it_says_why)
{
	const char *heard;

	complaint_listen();
	cr_assert_eq(pidfile_take("/nowhere/at/all"), -1);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "/nowhere/at/all: No such file"), "%s", heard);
}
