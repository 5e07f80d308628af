/* Copying: what is held, then the rest, whatever lies on either side. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/stream_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define LARGE ((size_t)300000)

static unsigned char bytes[LARGE];
static int pair[2];

static struct {
	size_t got, wrong;
} received;

static void *
receive_all(void *argument)
{
	static unsigned char some[20000];
	ssize_t length;

	while ((length = hub_recv(pair[1], some, sizeof some, 0)) > 0)
		for (ssize_t i = 0; i < length; i++, received.got++)
			received.wrong += received.got >= LARGE || some[i] != bytes[received.got];
	return argument;
}

/* Copies to a socket, from a stream that has shown its first line. */
static void
copy_from(struct hub_stream *from)
{
	struct hub_coroutine *receiver;
	struct hub_stream *to;
	char *first;

	received.got = received.wrong = 0;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	receiver = hub_spawn(receive_all, NULL);
	to = hub_stream_new(pair[0], NULL);
	first = hub_stream_read_exactly(from, 5);
	hub_stream_write(to, first, 5);
	trace_call("copy", (long)hub_stream_copy(from, to, 100));
	trace_call("copy", (long)hub_stream_copy(from, to, UINT64_MAX));
	trace_call("copy", (long)hub_stream_copy(from, to, UINT64_MAX));
	hub_shutdown(pair[0], SHUT_WR);
	hub_join(receiver, NULL);
	trace_whether("right", received.got == LARGE && received.wrong == 0);
	hub_stream_free(to);
	hub_close(pair[0]);
	hub_close(pair[1]);
}

static void
make_bytes(void)
{
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (unsigned char)(i * 2654435761U >> 13);
}

static void *
memory_body(void *argument)
{
	struct hub_stream *from = hub_stream_new_memory(bytes, LARGE, NULL);

	copy_from(from);
	hub_stream_free(from);
	return argument;
}

Test(stream_copy, from_memory_to_a_socket, .init = make_bytes)
{
	in_hub(memory_body, NULL);
	cr_assert_str_eq(trace_text(), "copy 100, copy 299895, copy 0, right");
}

/* A file without a name. */
static int
open_file(void)
{
	char path[] = "/tmp/hubbub-stream-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	hub_write(fd, bytes, LARGE);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void *
file_body(void *argument)
{
	int fd = open_file();
	struct hub_stream *from = hub_stream_new(fd, NULL);

	copy_from(from);
	trace_whether("buffered", hub_stream_buffered(from) > 0);
	hub_stream_free(from);
	hub_close(fd);
	return argument;
}

Test(stream_copy, from_a_file_to_a_socket, .init = make_bytes)
{
	in_hub(file_body, NULL);
	cr_assert_str_eq(trace_text(), "copy 100, copy 299895, copy 0, right, not buffered");
}

/* Kernels from 5.10 on read this file, and refuse to send it. */
#define REFUSED "/proc/self/limits"

static void *
refused_body(void *argument)
{
	int fd = open(REFUSED, O_RDONLY);
	struct hub_stream *from = hub_stream_new(fd, NULL), *to;
	char expected[8192], got[8192];
	ssize_t length = pread(fd, expected, sizeof expected, 0);

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	to = hub_stream_new(pair[0], NULL);
	trace_whether("whole", hub_stream_copy(from, to, UINT64_MAX) == length);
	trace_whether("right", hub_recv(pair[1], got, sizeof got, MSG_DONTWAIT) == length &&
				       memcmp(got, expected, (size_t)length) == 0);
	hub_stream_free(from);
	hub_stream_free(to);
	hub_close(fd);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_copy, from_a_file_that_the_kernel_does_not_send)
{
	in_hub(refused_body, NULL);
	cr_assert_str_eq(trace_text(), "whole, right");
}

static void *
send_bytes(void *fd)
{
	hub_send((int)(intptr_t)fd, bytes, LARGE, 0);
	hub_shutdown((int)(intptr_t)fd, SHUT_WR);
	return NULL;
}

static void *
socket_body(void *argument)
{
	int other[2];
	struct hub_coroutine *sender;
	struct hub_stream *from;

	socketpair(AF_UNIX, SOCK_STREAM, 0, other);
	sender = hub_spawn(send_bytes, (void *)(intptr_t)other[1]);
	from = hub_stream_new(other[0], NULL);
	copy_from(from);
	hub_join(sender, NULL);
	hub_stream_free(from);
	hub_close(other[0]);
	hub_close(other[1]);
	return argument;
}

Test(stream_copy, from_a_socket_to_a_socket, .init = make_bytes)
{
	in_hub(socket_body, NULL);
	cr_assert_str_eq(trace_text(), "copy 100, copy 299895, copy 0, right");
}

static void *
interrupted_body(void *argument)
{
	struct hub_stream *from = hub_stream_new_memory(bytes, LARGE, NULL), *to;
	struct hub_timeout scope;
	int64_t first, then;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	to = hub_stream_new(pair[0], NULL);
	hub_timeout_start(&scope, 200 * HUB_MILLISECOND);
	first = hub_stream_copy(from, to, UINT64_MAX);
	hub_timeout_stop(&scope);
	trace_whether("a part", first > 0 && first < (int64_t)LARGE);
	hub_detach(hub_spawn(receive_all, NULL));
	then = hub_stream_copy(from, to, UINT64_MAX);
	trace_whether("the rest", first + then == (int64_t)LARGE);
	hub_shutdown(pair[0], SHUT_WR);
	while (received.got < LARGE)
		hub_sleep(HUB_MILLISECOND);
	trace_whether("wrong", received.wrong > 0);
	hub_stream_free(from);
	hub_stream_free(to);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_copy, goes_on_after_an_interruption, .init = make_bytes)
{
	in_hub(interrupted_body, NULL);
	cr_assert_str_eq(trace_text(), "a part, the rest, not wrong");
}

/* ---- both ways ---- */

struct way {
	struct hub_stream *from, *to;
};

static void *
copy_all(void *argument)
{
	const struct way *way = argument;

	hub_stream_copy(way->from, way->to, UINT64_MAX);
	return NULL;
}

/* A proxy: what a client says, and what the server answers, one after the other. */
static void *
proxy_body(void *argument)
{
	int inside[2], outside[2];
	struct hub_coroutine *ways[2];
	struct hub_stream *left, *right;
	struct way there, back;
	char some[10] = "";

	socketpair(AF_UNIX, SOCK_STREAM, 0, inside);
	socketpair(AF_UNIX, SOCK_STREAM, 0, outside);
	left = hub_stream_new(outside[1], NULL);
	right = hub_stream_new(inside[0], NULL);
	there = (struct way){left, right};
	back = (struct way){right, left};
	ways[0] = hub_spawn(copy_all, &there);
	ways[1] = hub_spawn(copy_all, &back);
	for (int i = 0; i < 3; i++) {
		hub_send(outside[0], "ask", 3, 0);
		trace_call("asked", hub_recv(inside[1], some, sizeof some, 0));
		hub_send(inside[1], "answer", 6, 0);
		trace_call("answered", hub_recv(outside[0], some, sizeof some, 0));
	}
	trace_pointer("second", hub_stream_read_line(left, NULL));
	hub_shutdown(outside[0], SHUT_WR);
	hub_shutdown(inside[1], SHUT_WR);
	hub_join(ways[0], NULL);
	hub_join(ways[1], NULL);
	hub_stream_free(left);
	hub_stream_free(right);
	for (int i = 0; i < 2; i++) {
		hub_close(inside[i]);
		hub_close(outside[i]);
	}
	return argument;
}

Test(stream_copy, both_ways_holds_nothing_back)
{
	in_hub(proxy_body, NULL);
	/* The two copies end in any order. */
	cr_assert_str_eq(trace_text(),
		"asked 3, answered 6, asked 3, answered 6, asked 3, answered 6, second EBUSY");
}

/* ---- a second reader ---- */

/* The target takes nothing, so the copy waits with a view of what it reads. */
static void *
second_body(void *argument)
{
	struct hub_stream *from = hub_stream_new_memory(bytes, LARGE, NULL), *to;
	struct way way;
	struct hub_coroutine *copier;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	to = hub_stream_new(pair[0], NULL);
	way = (struct way){from, to};
	copier = hub_spawn(copy_all, &way);
	until_it_waits(copier);
	trace_pointer("second", hub_stream_read_line(from, NULL));
	hub_kill(copier);
	hub_join(copier, NULL);
	hub_stream_free(from);
	hub_stream_free(to);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_copy, has_what_it_reads_for_itself, .init = make_bytes)
{
	in_hub(second_body, NULL);
	cr_assert_str_eq(trace_text(), "second EBUSY");
}

static void *
write_all(void *stream)
{
	hub_stream_write(stream, bytes, LARGE);
	return NULL;
}

/* Another coroutine writes to the target, which takes nothing; so the copy waits for its turn. */
static void *
turn_body(void *argument)
{
	int fd = open_file();
	struct hub_stream *from = hub_stream_new(fd, NULL), *to;
	struct hub_coroutine *writer, *copier;
	struct way way;
	size_t length;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	to = hub_stream_new(pair[0], NULL);
	way = (struct way){from, to};
	hub_stream_peek(from, 1, &length);
	hub_stream_read_exactly(from, length);
	writer = hub_spawn(write_all, to);
	until_it_waits(writer);
	copier = hub_spawn(copy_all, &way);
	until_it_waits(copier);
	trace_pointer("second", hub_stream_read_some(from, 1, NULL));
	trace_whether("buffered", from->input.buffer != NULL);
	hub_kill(writer);
	hub_join(writer, NULL);
	hub_kill(copier);
	hub_join(copier, NULL);
	trace_whether("free again", hub_stream_read_some(from, 1, NULL) != NULL);
	hub_stream_free(from);
	hub_stream_free(to);
	hub_close(fd);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_copy, has_a_file_for_itself_and_no_buffer_while_it_waits, .init = make_bytes)
{
	in_hub(turn_body, NULL);
	cr_assert_str_eq(trace_text(), "second EBUSY, not buffered, free again");
}
