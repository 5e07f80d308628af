/* Copies from socket to socket of more than a buffer takes, which the kernel moves: whatever ends
 * them, no byte is lost. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define LARGE ((size_t)1 << 20)

static unsigned char bytes[LARGE];
static int in[2], out[2];
static struct hub_stream *from, *to;
static int64_t copied;

static void
open_all(void)
{
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (unsigned char)(i * 2654435761U >> 13);
	socketpair(AF_UNIX, SOCK_STREAM, 0, in);
	socketpair(AF_UNIX, SOCK_STREAM, 0, out);
	from = hub_stream_new(in[0], NULL);
	to = hub_stream_new(out[0], NULL);
}

static void
close_all(void)
{
	hub_stream_free(from);
	for (int i = 0; i < 2; i++) {
		hub_close(in[i]);
		hub_close(out[i]);
	}
}

static void *
send_all(void *argument)
{
	hub_send(in[1], bytes, LARGE, 0);
	hub_shutdown(in[1], SHUT_WR);
	return argument;
}

static void *
copy_all(void *argument)
{
	copied = hub_stream_copy(from, to, UINT64_MAX);
	return argument;
}

/* Of these bytes, how many come out of the socket. */
static size_t
received(void)
{
	static unsigned char some[50000];
	size_t got = 0;
	ssize_t length;

	while ((length = hub_recv(out[1], some, sizeof some, 0)) > 0) {
		if (got + (size_t)length > LARGE || memcmp(some, bytes + got, (size_t)length) != 0)
			trace_say("wrong at %zu", got);
		got += (size_t)length;
	}
	return got;
}

static void *
copy_and_end(void *argument)
{
	copy_all(argument);
	hub_stream_close(to);
	hub_shutdown(out[0], SHUT_WR);
	return argument;
}

static void *
whole_body(void *argument)
{
	struct hub_coroutine *sender, *copier;

	open_all();
	sender = hub_spawn(send_all, NULL);
	copier = hub_spawn(copy_and_end, NULL);
	trace_whether("all", received() == LARGE);
	hub_join(sender, NULL);
	hub_join(copier, NULL);
	trace_whether("said", copied == (int64_t)LARGE);
	close_all();
	return argument;
}

Test(stream_splice, carries_all_to_one_that_receives)
{
	in_hub(whole_body, NULL);
	cr_assert_str_eq(trace_text(), "all, said");
}

/* What was copied, and then what `from` still gives, is all that was sent. */
static void
say_rest(struct hub_coroutine *sender)
{
	static unsigned char rest[LARGE];
	size_t left = LARGE - (size_t)copied;
	struct hub_coroutine *closer;
	int64_t before;

	trace_whether("a part", copied > 0 && copied < (int64_t)LARGE);
	trace_whether("the rest", hub_stream_read(from, rest, left) == (ssize_t)left &&
					  memcmp(rest, bytes + copied, left) == 0);
	trace_whether("more", hub_stream_read(from, rest, 1) != 0);
	hub_join(sender, NULL);
	closer = hub_spawn(copy_and_end, NULL);
	before = copied;
	trace_whether("right", (int64_t)received() == before);
	hub_join(closer, NULL);
	close_all();
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *sender, *copier;

	open_all();
	sender = hub_spawn(send_all, NULL);
	copier = hub_spawn(copy_all, NULL);
	until_it_waits(copier);
	hub_kill(copier);
	hub_join(copier, NULL);
	say_rest(sender);
	return argument;
}

/* Nobody receives what is copied. */
Test(stream_splice, loses_nothing_when_the_copy_is_killed)
{
	in_hub(killed_body, NULL);
	cr_assert_str_eq(trace_text(), "a part, the rest, not more, right");
}

static void *
late_body(void *argument)
{
	struct hub_coroutine *sender;
	struct hub_timeout scope;

	open_all();
	sender = hub_spawn(send_all, NULL);
	hub_timeout_start(&scope, 200 * HUB_MILLISECOND);
	copy_all(NULL);
	hub_timeout_stop(&scope);
	say_rest(sender);
	return argument;
}

Test(stream_splice, loses_nothing_when_time_is_up)
{
	in_hub(late_body, NULL);
	cr_assert_str_eq(trace_text(), "a part, the rest, not more, right");
}

static void *
circle_body(void *argument)
{
	struct hub_coroutine *copier;

	open_all();
	hub_stream_free(to);
	to = hub_stream_new(in[1], NULL);
	hub_send(in[1], bytes, LARGE / 16, 0);
	copier = hub_spawn(copy_all, NULL);
	hub_sleep(HUB_MILLISECOND);
	hub_kill(copier);
	trace_call("join", hub_join(copier, NULL));
	trace_whether("copied", copied > 0);
	hub_stream_free(to);
	close_all();
	return argument;
}

/* What is sent at one end comes back at the other, so both are always ready. */
Test(stream_splice, lets_others_run, .timeout = 30)
{
	in_hub(circle_body, NULL);
	cr_assert_str_eq(trace_text(), "join 0, copied");
}

/* A TCP connection in `in`. */
static void
connect_in(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int listener = hub_create_server("127.0.0.1", "0", 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	in[0] = hub_socket(AF_INET, SOCK_STREAM, 0);
	hub_connect(in[0], (struct sockaddr *)&address, length);
	in[1] = hub_accept(listener, NULL, NULL);
	hub_close(listener);
}

/* The peer sends more than a buffer takes, and resets the connection. */
static void *
reset_body(void *argument)
{
	struct linger none = {.l_onoff = 1};
	struct hub_coroutine *copier;

	open_all();
	hub_stream_free(from);
	hub_close(in[0]);
	hub_close(in[1]);
	connect_in();
	from = hub_stream_new(in[0], NULL);
	hub_send(in[1], bytes, 60000, 0);
	/* A network may lose what is on its way, once its sender is gone. */
	hub_wait_fd(in[0], POLLIN);
	setsockopt(in[1], SOL_SOCKET, SO_LINGER, &none, sizeof none);
	hub_close(in[1]);
	in[1] = -1;
	copier = hub_spawn(copy_and_end, NULL);
	trace_whether("a part", received() > 0);
	hub_join(copier, NULL);
	to = hub_stream_new_memory(NULL, 0, NULL);
	trace_call("then", (long)hub_stream_copy(from, to, UINT64_MAX));
	hub_stream_free(to);
	close_all();
	return argument;
}

Test(stream_splice, tells_of_a_reset_that_the_kernel_has_told_it)
{
	in_hub(reset_body, NULL);
	cr_assert_str_eq(trace_text(), "a part, then ECONNRESET");
}
