/* What streams are over, and what they refuse to be over. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/stream_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/encrypted.h"
#include "tests/unit/hub/io/streams.h"

static int pair[2];

static void *
odd_body(void *argument)
{
	struct hub_stream_options newer = {.room = {&newer}}, large = {.longest = SIZE_MAX};

	trace_pointer("closed", hub_stream_new(12345, NULL));
	trace_pointer("newer", hub_stream_new(0, &newer));
	trace_pointer("large", hub_stream_new(0, &large));
	hub_stream_free(NULL);
	trace_call("close", hub_stream_close(NULL));
	return argument;
}

Test(stream_over, refuses_what_is_none)
{
	in_hub(odd_body, NULL);
	trace_pointer("outside", hub_stream_new(0, NULL));
	cr_assert_str_eq(
		trace_text(), "closed EBADF, newer EINVAL, large EINVAL, close 0, outside EPERM");
}

static void *
reused_body(void *argument)
{
	struct hub_stream *stream;
	int other[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	socketpair(AF_UNIX, SOCK_STREAM, 0, other);
	stream = hub_stream_new(pair[0], NULL);
	hub_send(pair[1], "mine\nhalf", 9, 0);
	say_line(stream);
	hub_close(pair[0]);
	dup2(other[0], pair[0]);
	hub_send(other[1], "another's\n", 10, 0);
	say_line(stream);
	trace_call("write", hub_stream_write(stream, "x", 1));
	trace_call("flush", hub_stream_flush(stream));
	trace_call("close", hub_stream_close(stream));
	say_bytes(pair[0]);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_close(other[0]);
	hub_close(other[1]);
	return argument;
}

Test(stream_over, stays_with_its_open_file)
{
	in_hub(reused_body, NULL);
	cr_assert_str_eq(trace_text(),
		"'mine', line EBADF, write 1, flush EBADF, close EBADF, 'another's\n'");
}

static void *
files_body(void *argument)
{
	char path[] = "/tmp/hubbub-stream-XXXXXX";
	int fd = mkstemp(path), ends[2];
	struct hub_stream *stream = hub_stream_new(fd, NULL);

	unlink(path);
	hub_stream_printf(stream, "%d lines\n%s\n", 2, "of text");
	trace_call("flush", hub_stream_flush(stream));
	lseek(fd, 0, SEEK_SET);
	say_line(stream);
	say_line(stream);
	say_line(stream);
	hub_stream_free(stream);
	hub_close(fd);
	trace_call("pipe", pipe2(ends, O_CLOEXEC));
	stream = hub_stream_new(ends[1], NULL);
	hub_stream_write(stream, "through\n", 8);
	trace_call("close", hub_stream_close(stream));
	hub_close(ends[1]);
	stream = hub_stream_new(ends[0], NULL);
	say_line(stream);
	say_line(stream);
	hub_stream_free(stream);
	hub_close(ends[0]);
	return argument;
}

Test(stream_over, is_over_files_and_pipes)
{
	in_hub(files_body, NULL);
	cr_assert_str_eq(trace_text(),
		"flush 0, '2 lines', 'of text', line 0, pipe 0, close 0, 'through', line 0");
}

static void *
memory_body(void *argument)
{
	struct hub_stream *stream = hub_stream_new_memory("GET /\r\n\r\nbody", 13, NULL);
	static char large[100000];
	const char *output;
	size_t length;

	say_line(stream);
	say_line(stream);
	say_line(stream);
	output = hub_stream_output(stream, &length);
	trace_say("%zu '%s'", length, output);
	hub_stream_write(stream, "hello", 5);
	memset(large, 'x', sizeof large);
	hub_stream_write(stream, large, sizeof large);
	output = hub_stream_output(stream, &length);
	trace_say("%zu '%.6s'", length, output);
	trace_say("unsent %zu", hub_stream_unsent(stream));
	trace_call("close", hub_stream_close(stream));
	return argument;
}

Test(stream_over, is_over_memory)
{
	in_hub(memory_body, NULL);
	cr_assert_str_eq(trace_text(), "'GET /', '', line EBADMSG, 0 '', 100005 'hellox', "
				       "unsent 0, close 0");
}

static void *
tls_body(void *argument)
{
	struct hub_stream *server, *client;

	encrypted_shake_hands();
	server = hub_stream_new(encrypted.server, NULL);
	client = hub_stream_new(encrypted.client, NULL);
	hub_stream_printf(client, "over TLS\n");
	hub_stream_flush(client);
	say_line(server);
	hub_stream_printf(server, "and back\n");
	hub_stream_flush(server);
	say_line(client);
	trace_whether("buffered", server->input.buffer != NULL);
	hub_shutdown(encrypted.client, SHUT_WR);
	say_line(server);
	trace_whether("buffered", server->input.buffer != NULL);
	hub_stream_free(server);
	hub_stream_free(client);
	encrypted_close();
	return argument;
}

Test(stream_over, is_over_tls, .init = encrypted_begin, .fini = encrypted_end)
{
	in_hub(tls_body, NULL);
	cr_assert_str_eq(trace_text(), "'over TLS', 'and back', buffered, line 0, not buffered");
}

static void *
read_much(void *stream)
{
	static char bytes[100000];

	trace_call("read", hub_stream_read(stream, bytes, sizeof bytes));
	return NULL;
}

/* The bytes go to the caller's memory. */
static void *
direct_body(void *argument)
{
	struct hub_coroutine *reader;
	struct hub_stream *stream;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = hub_stream_new(pair[0], NULL);
	hub_send(pair[1], "line\nmuch", 9, 0);
	say_line(stream);
	reader = hub_spawn(read_much, stream);
	until_it_waits(reader);
	trace_whether("buffered", stream->input.buffer != NULL);
	hub_shutdown(pair[1], SHUT_WR);
	hub_join(reader, NULL);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_over, a_socket_that_is_read_directly_has_no_buffer)
{
	in_hub(direct_body, NULL);
	cr_assert_str_eq(trace_text(), "'line', not buffered, read 4");
}
