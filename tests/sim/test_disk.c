/* Files in memory: as a program finds them by libc's calls, and by the hub's. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/seeds.h"
#include "tests/support/trace.h"

TestSuite(disk, .timeout = 60);

static void
in_world_with_files(hub_fn *body)
{
	struct hub_sim_options options = {.directory = "/state"};

	cr_assert_eq(hub_sim_run(1, &options, body, NULL), 0, "%s", hub_sim_report());
}

static void
say_bytes(const char *bytes, ssize_t length)
{
	trace_say("'%.*s'", (int)(length > 0 ? length : 0), bytes);
}

/* ---- libc's calls ---- */

static void *
libc_body(void *unused)
{
	char bytes[20];
	struct stat status;
	int fd = open("/state/./a//../notes", O_RDWR | O_CREAT | O_EXCL, 0640);

	trace_call("write", write(fd, "one two", 7));
	trace_call("pwrite", pwrite(fd, "1", 1, 10));
	trace_call("lseek", lseek(fd, 4, SEEK_SET));
	say_bytes(bytes, read(fd, bytes, 3));
	say_bytes(bytes, pread(fd, bytes, 3, 0));
	trace_call("end", pread(fd, bytes, 3, 11));
	trace_call("again", open("/state/notes", O_RDWR | O_CREAT | O_EXCL, 0640));
	fstat(fd, &status);
	trace_say("%d bytes, mode %o", (int)status.st_size, status.st_mode & 07777);
	trace_call("ftruncate", ftruncate(fd, 3));
	trace_call("unlink", unlink("/state/notes"));
	trace_call("stat", stat("/state/notes", &status));
	say_bytes(bytes, pread(fd, bytes, 20, 0));
	close(fd);
	return unused;
}

Test(disk, libcs_calls)
{
	in_world_with_files(libc_body);
	EXPECT_TRACE("write 7, pwrite 1, lseek 4, 'two', 'one', end 0, again EEXIST, "
		     "11 bytes, mode 640, ftruncate 0, unlink 0, stat ENOENT, 'one'");
}

static void
make(const char *path, const char *text)
{
	int fd = creat(path, 0600);

	if (trace_call("creat", fd) == -1)
		return;
	write(fd, text, strlen(text));
	close(fd);
}

static void
show(const char *path)
{
	char bytes[20];
	int fd = open(path, O_RDONLY);

	if (fd == -1) {
		trace_call("open", fd);
		return;
	}
	say_bytes(bytes, read(fd, bytes, sizeof bytes));
	close(fd);
}

static void *
names_body(void *unused)
{
	char name[] = "/state/temporary-XXXXXX";
	int fd = mkstemp(name);

	trace_whether("named", strcmp(name, "/state/temporary-XXXXXX") != 0);
	close(fd);
	make("/state/missing/x", "");
	trace_call("mkdir", mkdir("/state/d", 0700));
	make("/state/d/x", "x");
	make("/state/y", "y");
	trace_call("rmdir", rmdir("/state/d"));
	trace_call("rename", rename("/state/d", "/state/e"));
	show("/state/e/x");
	show("/state/d/x");
	trace_call("rename", rename("/state/y", "/state/e/x"));
	show("/state/e/x");
	trace_call("below itself", rename("/state/e", "/state/e/f"));
	trace_call("away", rename("/state/e", "/tmp/e"));
	trace_call("write", open("/state/e", O_WRONLY));
	trace_call("access", access("/state/e/x", R_OK));
	trace_call("truncate", truncate("/state/e/x", 0));
	show("/state/e/x");
	trace_call("unlink", unlink("/state/e/x"));
	trace_call("rmdir", rmdir("/state/e"));
	trace_call("elsewhere", access("/dev/null", R_OK));
	return unused;
}

Test(disk, names)
{
	in_world_with_files(names_body);
	EXPECT_TRACE("named, creat ENOENT, mkdir 0, creat 512, creat 512, rmdir ENOTEMPTY, "
		     "rename 0, 'x', open ENOENT, rename 0, 'y', below itself EINVAL, away EXDEV, "
		     "write EISDIR, access 0, truncate 0, '', unlink 0, rmdir 0, elsewhere 0");
}

static void *
only_there_body(void *unused)
{
	trace_call("open", open("/state/x", O_RDWR | O_CREAT, 0600));
	return unused;
}

Test(disk, paths_elsewhere_are_real)
{
	cr_assert_eq(hub_sim_run(1, NULL, only_there_body, NULL), 0);
	EXPECT_TRACE("open ENOENT");
}

static void *
left_open_body(void *unused)
{
	open("/state/x", O_RDWR | O_CREAT, 0600);
	return unused;
}

Test(disk, a_file_that_is_left_open_is_found)
{
	struct hub_sim_options options = {.directory = "/state"};

	cr_assert_eq(hub_sim_run(1, &options, left_open_body, NULL), -1);
	cr_assert_not_null(strstr(hub_sim_report(), " is still open"), "%s", hub_sim_report());
}

/* ---- the hub's calls ---- */

#define LENGTH 100000

static unsigned char
byte_at(size_t at)
{
	return (unsigned char)(at * 7 % 251);
}

/* Two write a file each at once, in pieces; what was written is sent and read back. */
static void *
write_pieces(void *path)
{
	static unsigned char bytes[LENGTH];
	int fd = hub_open(path, O_RDWR | O_CREAT | O_APPEND, 0600);
	struct stat status = {0};

	for (size_t i = 0; i < LENGTH; i++)
		bytes[i] = byte_at(i);
	for (size_t done = 0; fd != -1 && done < LENGTH; done += 1000)
		if (hub_write(fd, bytes + done, 1000) != 1000)
			return hub_fail(errno, "write");
	if (fd == -1 || hub_fsync(fd) != 0 || fstat(fd, &status) != 0 || status.st_size != LENGTH)
		return hub_fail(EIO, "fsync, or %d bytes", (int)status.st_size);
	hub_close(fd);
	return NULL;
}

static void *
send_file(void *argument)
{
	int to = *(int *)argument, fd = hub_open("/state/1", O_RDONLY, 0);
	off_t offset = 0;

	hub_sendfile(to, fd, &offset, LENGTH);
	hub_close(fd);
	hub_shutdown(to, SHUT_WR);
	return NULL;
}

static void *
hub_body(void *unused)
{
	struct hub_coroutine *writers[2] = {hub_spawn(write_pieces, (void *)(uintptr_t) "/state/1"),
		hub_spawn(write_pieces, (void *)(uintptr_t) "/state/2")};
	struct hub_coroutine *sender;
	unsigned char bytes[5000];
	size_t got = 0, wrong = 0;
	ssize_t length;
	int pair[2], fd;

	for (int i = 0; i < 2; i++)
		if (hub_get(writers[i], NULL, NULL) != 0)
			return hub_fail(EIO, "a writer");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	sender = hub_spawn(send_file, &pair[0]);
	while ((length = hub_read(pair[1], bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < length; i++)
			wrong += bytes[i] != byte_at(got++);
	hub_join(sender, NULL);
	fd = hub_open("/state/2", O_RDONLY, 0);
	while ((length = hub_pread(fd, bytes, sizeof bytes, (off_t)(got - LENGTH))) > 0)
		for (ssize_t i = 0; i < length; i++)
			wrong += bytes[i] != byte_at(got++ - LENGTH);
	hub_close(fd);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return got == (size_t)2 * LENGTH && wrong == 0 ? unused
						       : hub_fail(EIO, "%zu, %zu", got, wrong);
}

Test(disk, the_hubs_calls)
{
	struct hub_sim_options options = {.directory = "/state", .not_ready = 3, .partial = 5};

	EACH_SEED (seed, 20)
		cr_assert_eq(
			hub_sim_run(seed, &options, hub_body, NULL), 0, "%s", hub_sim_report());
}
