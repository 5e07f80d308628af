#include "master/start/pidfile.h"

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
static int lock_error;     /* flock fails with it */
static bool is_full;       /* the device */
static int dup_error;      /* dup3, the same */

/* In place of libc's, for this program alone. */
int
flock(int fd, int operation)
{
	void (*happen)(void) = meanwhile;

	meanwhile = NULL;
	if (happen != NULL)
		happen();
	if (lock_error != 0) {
		errno = lock_error;
		return -1;
	}
	return (int)syscall(SYS_flock, fd, operation);
}

int
dup3(int from, int to, int flags)
{
	if (dup_error != 0) {
		errno = dup_error;
		return -1;
	}
	return (int)syscall(SYS_dup3, from, to, flags);
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

ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	if (is_full) {
		errno = ENOSPC;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, bytes, size, offset);
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

Test(pidfile, that_could_not_be_written_is_written_later)
{
	int fd = pidfile_take(path);

	/* A former master's, on a disk that was full. */
	cr_assert_eq(pwrite(fd, "1\n", 2, 0), 2);
	cr_assert_eq(ftruncate(fd, 2), 0);
	pidfile_look(fd, path);
	cr_assert(has(own_pid()));
	pidfile_remove(fd, path);
	cr_assert_not(is_there());
}

/* While the device is full it is tried each second, and said once. */
Test(pidfile, that_cannot_be_written_for_long_is_said_once)
{
	const char *heard;
	int fd;

	is_full = true;
	complaint_listen();
	fd = pidfile_take(path);
	for (int i = 0; i < 3; i++)
		pidfile_look(fd, path);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "cannot write the pid file"), "%s", heard);
	cr_assert_eq(strchr(heard, '\n'), heard + strlen(heard) - 1, "%s", heard);
	is_full = false;
	pidfile_look(fd, path);
	cr_assert(has(own_pid()));
	/* Another time is another word. */
	is_full = true;
	complaint_listen();
	pidfile_write(fd);
	cr_assert_str_neq(complaint_heard(), "");
	is_full = false;
	pidfile_remove(fd, path);
}

Test(pidfile, that_is_removed_while_the_server_runs_is_made_again)
{
	int fd = pidfile_take(path), before = open_descriptors();
	const char *heard;

	pidfile_look(-1, path);
	pidfile_look(fd, NULL);
	pidfile_look(fd, path);
	remove_it();
	complaint_listen();
	pidfile_look(fd, path);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "was made again"), "%s", heard);
	cr_assert(has(own_pid()));
	cr_assert_eq(open_descriptors(), before);
	complaint_listen();
	cr_assert_eq(pidfile_take(path), -1, "it is locked again");
	complaint_heard();
	/* Another's stays, and is told once. */
	replace_it();
	complaint_listen();
	pidfile_look(fd, path);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "another has taken its place"), "%s", heard);
	complaint_listen();
	pidfile_look(fd, path);
	cr_assert_str_eq(complaint_heard(), "");
	cr_assert(has("another\n"));
	pidfile_remove(fd, path);
	cr_assert(is_there());
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

Test(pidfile, that_had_no_room_for_a_new_masters_pid_goes_all_the_same)
{
	int fd = pidfile_take(path);
	const char *heard;

	write_text("1\n"); /* the former master's */
	is_full = true;
	complaint_listen();
	pidfile_write(fd);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "cannot write the pid file"), "%s", heard);
	pidfile_remove(fd, path);
	cr_assert_not(is_there());
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
	cr_assert_not_null(
		strstr(heard, "is not a regular file; choose another path"), "%s", heard);
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
	cr_assert_not_null(
		strstr(heard, "/nowhere/at/all: there is no such directory"), "%s", heard);
}

/* Such as over NFS without a lock daemon: that is nobody who runs. */
Test(pidfile, that_cannot_be_locked_is_not_left)
{
	const char *heard;

	lock_error = ENOLCK;
	complaint_listen();
	cr_assert_eq(pidfile_take(path), -1);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "cannot lock the pid file"), "%s", heard);
	cr_assert_not_null(strstr(heard, "No locks available"), "%s", heard);
	cr_assert_neq(access(path, F_OK), 0);
}

static void
expect_not_made(int fd, const char *why)
{
	const char *heard;

	complaint_listen();
	pidfile_look(fd, path);
	pidfile_look(fd, path);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, why), "%s", heard);
	cr_assert_null(strstr(strstr(heard, why) + 1, why), "once: %s", heard);
	cr_assert_not(is_there(), "an empty one is left");
}

static void
expect_made(int fd)
{
	complaint_listen();
	pidfile_look(fd, path);
	complaint_heard();
	cr_assert(has(own_pid()));
}

Test(pidfile, one_that_cannot_be_kept_is_not_made_again_until_it_can)
{
	int fd = pidfile_take(path), before = open_descriptors();

	remove_it();
	lock_error = ENOLCK;
	expect_not_made(fd, "No locks available");
	lock_error = 0;
	expect_made(fd);
	remove_it();
	dup_error = EBUSY;
	expect_not_made(fd, "Device or resource busy");
	dup_error = 0;
	expect_made(fd);
	cr_assert_eq(open_descriptors(), before);
	pidfile_remove(fd, path);
}

/* It has opened the new one before this server has locked it. */
Test(pidfile, one_that_another_server_locks_meanwhile_is_left_to_it)
{
	int fd = pidfile_take(path);

	remove_it();
	lock_error = EWOULDBLOCK;
	complaint_listen();
	pidfile_look(fd, path);
	cr_assert_not_null(strstr(complaint_heard(), "another has taken its place"));
	cr_assert(is_there());
	close(fd);
}
