/* Files, which no poll(2) can wait for: offsets, errors, what is in no cache, and terminals that
 * must not keep files waiting. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int
make_file(void)
{
	char path[] = "/tmp/hubbub-file-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static void *
use_file(void *argument)
{
	char buffer[8] = "";
	struct iovec part = {buffer, 4};
	int fd = make_file();

	trace_call("write", write(fd, "0123456789", 10));
	trace_call("offset", lseek(fd, 0, SEEK_CUR));
	trace_call("pread", pread(fd, buffer, 4, 3));
	trace_say("%.4s", buffer);
	lseek(fd, 8, SEEK_SET);
	trace_call("read the rest", read(fd, buffer, 8));
	trace_call("read at the end", read(fd, buffer, 8));
	trace_call("pread before the file", pread(fd, buffer, 4, -1));
	trace_call("preadv2 behind it", preadv2(fd, &part, 1, 20, 0));
	trace_call("O_NONBLOCK", fcntl(fd, F_GETFL) & O_NONBLOCK);
	trace_call("writev", writev(fd, &part, 1));
	close(fd);
	trace_call("write when closed", write(fd, buffer, 1));
	return argument;
}

TestSuite(file, .timeout = 60);

Test(file, offsets_are_kept)
{
	hub_patch_all();
	in_hub(use_file, NULL);
	EXPECT_TRACE("write 10, offset 10, pread 4, 3456, read the rest 2, read at the end 0, "
		     "pread before the file EINVAL, preadv2 behind it 0, O_NONBLOCK 0, writev 4, "
		     "write when closed EBADF");
}

#define BIG (1 << 20)

static void *
read_uncached(void *argument)
{
	static char big[BIG];
	int fd = make_file();

	trace_call("write", write(fd, big, sizeof big));
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	/* Now its first page is in the cache, and nothing else. */
	pread(fd, big, 100, 0);
	lseek(fd, 0, SEEK_SET);
	trace_call("read", read(fd, big, sizeof big));
	close(fd);
	return argument;
}

Test(file, what_is_partly_in_the_cache_is_read_as_a_whole)
{
	hub_patch_all();
	in_hub(read_uncached, NULL);
	EXPECT_TRACE("write 1048576, read 1048576");
}

/* ---- terminals that their users have stopped ---- */

#define TERMINALS 20

struct terminal {
	int master, fd;
	long wrote;
	struct hub_coroutine *writer;
};

static void *
write_to_terminal(void *argument)
{
	struct terminal *terminal = argument;

	terminal->wrote = write(terminal->fd, "hello\n", 6);
	return NULL;
}

static void
stop_terminal(struct terminal *terminal)
{
	terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(terminal->master);
	unlockpt(terminal->master);
	terminal->fd = open(ptsname(terminal->master), O_RDWR | O_NOCTTY);
	tcflow(terminal->fd, TCOOFF);
	terminal->writer = hub_spawn(write_to_terminal, terminal);
}

/* Lets it go on. Returns whether its user sees what is written then. */
static bool
continue_terminal(struct terminal *terminal)
{
	char text[16];
	bool is_seen;

	tcflow(terminal->fd, TCOON);
	hub_join(terminal->writer, NULL);
	is_seen = terminal->wrote == 6 && read(terminal->master, text, sizeof text) >= 6;
	close(terminal->master);
	close(terminal->fd);
	return is_seen;
}

static void *
use_terminals(void *argument)
{
	static struct terminal terminals[TERMINALS];
	int file = make_file(), seen = 0;

	for (int i = 0; i < TERMINALS; i++)
		stop_terminal(&terminals[i]);
	for (int i = 0; i < TERMINALS; i++)
		until_it_waits(terminals[i].writer);
	trace_call("pwrite", pwrite(file, "x", 1, 0));
	/* Others find the terminal blocking. */
	trace_call("O_NONBLOCK", fcntl(terminals->fd, F_GETFL) & O_NONBLOCK);
	trace_say("wrote %ld to a terminal", terminals->wrote);
	for (int i = 0; i < TERMINALS; i++)
		seen += continue_terminal(&terminals[i]);
	trace_say("seen on %d", seen);
	close(file);
	return argument;
}

Test(file, stopped_terminals_keep_no_file_waiting)
{
	hub_patch_all();
	in_hub(use_terminals, NULL);
	EXPECT_TRACE("pwrite 1, O_NONBLOCK 0, wrote 0 to a terminal, seen on 20");
}
