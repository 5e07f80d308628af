/* A stream as its users see it: answers, interruptions, ends; and that it has a buffer only while
 * it holds bytes. */
#include "hub/io/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/streams.h"

#define MANY 200

static int pair[2];

/* As the header's example. */
static void *
serve(void *client)
{
	struct hub_stream *stream = hub_stream_new((int)(intptr_t)client, NULL);
	char *line;

	while ((line = hub_stream_read_line(stream, NULL)) != NULL)
		hub_stream_printf(stream, "you said %s; ", line);
	trace_call("close", hub_stream_close(stream));
	return NULL;
}

/* Each message of such a socket is one send. */
static void *
pipelined_body(void *argument)
{
	struct hub_coroutine *server;

	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	server = hub_spawn(serve, (void *)(intptr_t)pair[0]);
	hub_send(pair[1], "a\nb\r\nc", 6, 0);
	say_bytes(pair[1]);
	hub_send(pair[1], "d\n", 2, 0);
	say_bytes(pair[1]);
	hub_shutdown(pair[1], SHUT_WR);
	hub_join(server, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream, answers_what_came_together_in_one_send)
{
	in_hub(pipelined_body, NULL);
	cr_assert_str_eq(trace_text(), "'you said a; you said b; ', 'you said cd; ', close 0");
}

static void *
idle_body(void *argument)
{
	static int ends[MANY][2];
	static struct hub_coroutine *readers[MANY];
	unsigned buffers = 0, answers = 0;
	char byte;

	for (int i = 0; i < MANY; i++) {
		socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]);
		readers[i] = hub_spawn(serve, (void *)(intptr_t)ends[i][0]);
		hub_send(ends[i][1], "x\n", 2, 0);
		answers += hub_recv(ends[i][1], &byte, 1, 0) == 1;
		until_it_waits(readers[i]);
		buffers = hub_this->buffers.kept > buffers ? hub_this->buffers.kept : buffers;
	}
	trace_say("%u answers, %u buffers", answers, buffers);
	for (int i = 0; i < MANY; i++) {
		hub_kill(readers[i]);
		hub_join(readers[i], NULL);
		hub_close(ends[i][0]);
		hub_close(ends[i][1]);
	}
	return argument;
}

Test(stream, that_waits_has_no_buffer)
{
	in_hub(idle_body, NULL);
	/* One for the line, one for the answer. */
	cr_assert(strncmp(trace_text(), "200 answers, 2 buffers", 22) == 0, "%s", trace_text());
}

static void *
read_a_line(void *stream)
{
	say_line(stream);
	return NULL;
}

static void *
two_readers_body(void *argument)
{
	struct hub_coroutine *reader;
	struct hub_stream *stream;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = hub_stream_new(pair[0], NULL);
	reader = hub_spawn(read_a_line, stream);
	until_it_waits(reader);
	say_line(stream);
	trace_call("write", hub_stream_write(stream, "pushed", 6));
	trace_call("flush", hub_stream_flush(stream));
	say_bytes(pair[1]);
	hub_send(pair[1], "first's\n", 8, 0);
	hub_join(reader, NULL);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream, has_one_reader_beside_writers)
{
	in_hub(two_readers_body, NULL);
	cr_assert_str_eq(trace_text(), "line EBUSY, write 6, flush 0, 'pushed', 'first's'");
}

static void *
interrupted_body(void *argument)
{
	struct hub_coroutine *reader;
	struct hub_stream *stream;
	struct hub_timeout scope;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = hub_stream_new(pair[0], NULL);
	hub_send(pair[1], "ha", 2, 0);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	say_line(stream);
	hub_timeout_stop(&scope);
	reader = hub_spawn(read_a_line, stream);
	hub_send(pair[1], "l", 1, 0);
	until_it_waits(reader);
	hub_kill(reader);
	hub_join(reader, NULL);
	hub_send(pair[1], "f\n", 2, 0);
	say_line(stream);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream, loses_no_byte_to_a_timeout_or_a_kill)
{
	in_hub(interrupted_body, NULL);
	cr_assert_str_eq(trace_text(), "line ETIMEDOUT, line ECANCELED, 'half'");
}

static void *
drain_body(void *argument)
{
	struct hub_stream *stream;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = hub_stream_new(pair[0], NULL);
	hub_send(pair[1], "one\ntwo\nthr", 11, 0);
	say_line(stream);
	hub_end_input(pair[0]);
	say_line(stream);
	say_line(stream);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream, ends_where_the_input_is_ended)
{
	in_hub(drain_body, NULL);
	cr_assert_str_eq(trace_text(), "'one', 'two', line EBADMSG");
}

/* ---- one reads while others write ---- */

#define LARGE ((size_t)4 << 20)

static void *
write_much(void *stream)
{
	char *bytes = calloc(1, LARGE);

	hub_stream_printf(stream, "header ");
	trace_whether("all written", hub_stream_write(stream, bytes, LARGE) == (ssize_t)LARGE);
	free(bytes);
	return NULL;
}

/* Sends, and receives only when that is done. */
static void *
be_deaf_first(void *argument)
{
	static char bytes[1 << 16];
	size_t got = 0;
	ssize_t length;

	hub_sleep(HUB_MILLISECOND);
	hub_send(pair[1], "at last\n", 8, 0);
	hub_wait_fd(pair[1], POLLIN);
	hub_sleep(5 * HUB_MILLISECOND);
	while (got < LARGE + 13 && (length = hub_recv(pair[1], bytes, sizeof bytes, 0)) > 0)
		got += (size_t)length;
	trace_say("%zu more than much", got - LARGE);
	return argument;
}

static void *
beside_body(void *argument)
{
	struct hub_coroutine *writer, *peer;
	struct hub_stream *stream;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = hub_stream_new(pair[0], NULL);
	writer = hub_spawn(write_much, stream);
	until_it_waits(writer);
	peer = hub_spawn(be_deaf_first, NULL);
	say_line(stream);
	hub_join(writer, NULL);
	hub_stream_write(stream, "answer", 6);
	trace_call("flush", hub_stream_flush(stream));
	hub_join(peer, NULL);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream, is_read_while_a_writer_waits_for_its_peer)
{
	in_hub(beside_body, NULL);
	cr_assert_str_eq(trace_text(), "'at last', all written, flush 0, 13 more than much");
}
