/* Files: their calls are made by other threads, and in the order of their turns. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
file_body(void *argument)
{
	struct hub_timeout scope;
	int fd = hub_open(argument, O_RDWR | O_TRUNC, 0600);
	char text[32] = "";

	trace_call("write", hub_write(fd, "hello ", 6));
	trace_call("write", hub_write(fd, "world", 5));
	trace_call("pwrite", hub_pwrite(fd, "W", 1, 6));
	trace_call("fsync", hub_fsync(fd));
	trace_call("fdatasync", hub_fdatasync(fd));
	trace_call("pread", hub_pread(fd, text, sizeof text, 0));
	trace_say("'%.11s'", text);
	lseek(fd, 6, SEEK_SET);
	trace_call("read", hub_read(fd, text, 8));
	trace_say("'%.5s'", text);
	trace_call("read at the end", hub_read(fd, text, 8));
	hub_timeout_start(&scope, 0);
	trace_call("write without time", hub_write(fd, "x", 1));
	trace_call("read without time", hub_read(fd, text, 1));
	hub_timeout_stop(&scope);
	hub_close(fd);
	trace_call("open", hub_open("/no/such/file", O_RDONLY, 0));
	trace_call("pread", hub_pread(-1, text, 1, 0));
	return NULL;
}

Test(file, reads_writes_and_syncs)
{
	char path[] = "/tmp/hubbub-test-XXXXXX";

	close(mkstemp(path));
	in_hub(file_body, path);
	unlink(path);
	cr_assert_str_eq(trace_text(),
		"write 6, write 5, pwrite 1, fsync 0, fdatasync 0, pread 11, 'hello World', "
		"read 5, 'World', read at the end 0, write without time ETIMEDOUT, "
		"read without time ETIMEDOUT, open ENOENT, pread EBADF");
}

/* ---- closed before its turn ---- */

static void *
block_thread(void *argument)
{
	usleep(30000);
	return argument;
}

static void *
occupy(void *argument)
{
	hub_offload(block_thread, NULL, NULL);
	return argument;
}

static void *
write_secret(void *argument)
{
	trace_call("write", hub_write(*(int *)argument, "SECRET", 6));
	return NULL;
}

static void *
closed_body(void *argument)
{
	struct hub_coroutine *first = hub_spawn(occupy, NULL), *writer;
	int file = hub_open(argument, O_RDWR, 0), pair[2];
	char byte;

	writer = hub_spawn(write_secret, &file);
	until_it_waits(first);
	until_it_waits(writer);
	hub_close(file);
	/* Gets the number that the file had. */
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_join(writer, NULL);
	hub_join(first, NULL);
	trace_call("recv of another", recv(pair[1], &byte, 1, MSG_DONTWAIT));
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(file, what_waits_its_turn_never_reaches_another_descriptor)
{
	char path[] = "/tmp/hubbub-test-XXXXXX";

	close(mkstemp(path));
	setenv("HUBBUB_OFFLOAD_THREADS", "1", 1);
	in_hub(closed_body, path);
	unlink(path);
	cr_assert_str_eq(trace_text(), "write 6, recv of another EAGAIN");
}
