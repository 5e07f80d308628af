/* A copy between two connections whose peers take nothing yet: what is held for either is sent. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define LARGE ((size_t)300000)

static const char bytes[LARGE];

/* The copy goes from the left one to the right. */
static struct {
	int left[2], right[2];
	struct hub_stream *from, *to;
	struct hub_coroutine *writer, *copier;
	int error; /* of the copy */
} between;

static void *
flush(void *stream)
{
	trace_call("flush", hub_stream_flush(stream));
	return NULL;
}

static void *
copy_between(void *argument)
{
	if (hub_stream_copy(between.from, between.to, UINT64_MAX) < 0)
		between.error = errno;
	return argument;
}

/* A stream whose socket is full, and that holds a text. */
static struct hub_stream *
make_full(int ends[2], const char *text)
{
	struct hub_stream *stream;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	while (send(ends[0], bytes, LARGE, MSG_DONTWAIT) > 0)
		continue;
	stream = hub_stream_new(ends[0], NULL);
	hub_stream_write(stream, text, strlen(text));
	return stream;
}

/* Receives all that comes until the text has come. */
static void
await_text(int peer, const char *text)
{
	static char some[LARGE];
	struct hub_timeout scope;
	ssize_t length;

	hub_timeout_start(&scope, 60 * HUB_SECOND);
	do
		length = hub_recv(peer, some, sizeof some, 0);
	while (length > 0 && memmem(some, (size_t)length, text, strlen(text)) == NULL);
	hub_timeout_stop(&scope);
	trace_whether(text, length > 0);
}

/* The writer sends what is held for the left peer, the copy what is held for the right one. */
static void
begin_between(void)
{
	between.from = make_full(between.left, "to the left");
	between.to = make_full(between.right, "to the right");
	between.writer = hub_spawn(flush, between.from);
	until_it_waits(between.writer);
	between.copier = hub_spawn(copy_between, NULL);
	until_it_waits(between.copier);
}

static void
end_between(void)
{
	hub_join(between.copier, NULL);
	trace_error("copy", between.error);
	hub_stream_free(between.from);
	hub_stream_free(between.to);
	for (int i = 0; i < 2; i++) {
		hub_close(between.left[i]);
		hub_close(between.right[i]);
	}
}

static void *
ended_body(void *argument)
{
	begin_between();
	hub_end_input(between.left[0]);
	await_text(between.right[1], "to the right");
	hub_kill(between.writer);
	hub_join(between.writer, NULL);
	end_between();
	return argument;
}

Test(stream_copy_between, sees_the_end_that_has_come_while_it_sent)
{
	in_hub(ended_body, NULL);
	cr_assert_str_eq(trace_text(), "to the right, flush ECANCELED, copy 0");
}

static void *
left_body(void *argument)
{
	begin_between();
	hub_kill(between.writer);
	hub_join(between.writer, NULL);
	await_text(between.right[1], "to the right");
	await_text(between.left[1], "to the left");
	hub_kill(between.copier);
	end_between();
	return argument;
}

Test(stream_copy_between, sends_what_another_has_left_while_it_sent)
{
	in_hub(left_body, NULL);
	cr_assert_str_eq(
		trace_text(), "flush ECANCELED, to the right, to the left, copy ECANCELED");
}

static void *
unsent_body(void *argument)
{
	struct hub_stream *from = hub_stream_new_memory(bytes, 1000, NULL);
	struct hub_timeout scope;

	between.to = make_full(between.right, "to the right");
	hub_timeout_start(&scope, 200 * HUB_MILLISECOND);
	trace_call("copy", (long)hub_stream_copy(from, between.to, 1000));
	hub_timeout_stop(&scope);
	trace_whether("all left", hub_stream_skip(from, 2000) == 1000);
	hub_spawn(flush, between.to);
	await_text(between.right[1], "to the right");
	hub_stream_free(from);
	hub_stream_free(between.to);
	hub_close(between.right[0]);
	hub_close(between.right[1]);
	return argument;
}

/* Its peer receives only after the copy has failed. */
Test(stream_copy_between, takes_nothing_that_it_has_not_sent)
{
	in_hub(unsent_body, NULL);
	cr_assert_str_eq(trace_text(), "copy ETIMEDOUT, all left, flush 0, to the right");
}
