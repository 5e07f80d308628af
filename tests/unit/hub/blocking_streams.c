/* What coroutines wait for with streams: bytes that never come, and a socket that takes none. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hubbub/hub.h>

#include "tests/unit/hub/blocking.h"

#define LARGE ((size_t)20000) /* more than a stream's buffer holds */

static struct {
	int idle[2], full[2];
} never;

static char large[LARGE];

/* Each call has a stream of its own, since a stream has one reader. */
static struct hub_stream *
reader(void)
{
	return hub_stream_new(never.idle[0], NULL);
}

static struct hub_stream *
writer(void)
{
	return hub_stream_new(never.full[0], NULL);
}

/* Holds a byte that is to be sent; a call in an expired scope would write none. */
static struct hub_stream *
written(void)
{
	struct hub_stream *stream = writer();
	struct hub_timeout shield;

	hub_shield_start(&shield);
	hub_stream_write(stream, "x", 1);
	hub_shield_stop(&shield);
	return stream;
}

/* Frees the stream, and keeps errno. */
static int
ended(struct hub_stream *stream, int result)
{
	hub_stream_free(stream);
	return result;
}

static int
viewed(struct hub_stream *stream, const void *view)
{
	return ended(stream, view == NULL ? -1 : 0);
}

static int
call_read_line(void)
{
	struct hub_stream *stream = reader();

	return viewed(stream, hub_stream_read_line(stream, NULL));
}

static int
call_read_until(void)
{
	struct hub_stream *stream = reader();

	return viewed(stream, hub_stream_read_until(stream, "\r\n", 2, NULL));
}

static int
call_read_exactly(void)
{
	struct hub_stream *stream = reader();

	return viewed(stream, hub_stream_read_exactly(stream, 10));
}

static int
call_read_some(void)
{
	struct hub_stream *stream = reader();

	return viewed(stream, hub_stream_read_some(stream, 10, NULL));
}

static int
call_peek(void)
{
	struct hub_stream *stream = reader();

	return viewed(stream, hub_stream_peek(stream, 10, NULL));
}

static int
call_stream_read(void)
{
	struct hub_stream *stream = reader();
	char bytes[10];

	return ended(stream, (int)hub_stream_read(stream, bytes, sizeof bytes));
}

static int
call_skip(void)
{
	struct hub_stream *stream = reader();

	return ended(stream, (int)hub_stream_skip(stream, 10));
}

static int
call_read_frame(void)
{
	struct hub_stream *stream = reader();

	return viewed(stream, hub_stream_read_frame(stream, HUB_FRAME_NETSTRING, NULL));
}

static int
call_stream_write(void)
{
	struct hub_stream *stream = writer();

	return ended(stream, (int)hub_stream_write(stream, large, LARGE));
}

static int
call_printf(void)
{
	struct hub_stream *stream = writer();

	return ended(stream, (int)hub_stream_printf(stream, "%*s", (int)LARGE, ""));
}

static int
vprintf_with(struct hub_stream *stream, const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = (int)hub_stream_vprintf(stream, format, arguments);
	va_end(arguments);
	return result;
}

static int
call_vprintf(void)
{
	struct hub_stream *stream = writer();

	return ended(stream, vprintf_with(stream, "%*s", (int)LARGE, ""));
}

static int
call_write_frame(void)
{
	struct hub_stream *stream = writer();

	return ended(stream, hub_stream_write_frame(stream, HUB_FRAME_32, large, LARGE));
}

static int
call_flush(void)
{
	struct hub_stream *stream = written();

	return ended(stream, hub_stream_flush(stream));
}

static int
call_stream_close(void)
{
	return hub_stream_close(written());
}

static int
call_copy(void)
{
	struct hub_stream *from = reader(), *to = writer();

	return ended(to, ended(from, (int)hub_stream_copy(from, to, 10)));
}

const struct blocking_call blocking_streams[] = {
	{"hub_stream_read_line", call_read_line},
	{"hub_stream_read_until", call_read_until},
	{"hub_stream_read_exactly", call_read_exactly},
	{"hub_stream_read_some", call_read_some},
	{"hub_stream_peek", call_peek},
	{"hub_stream_read", call_stream_read},
	{"hub_stream_skip", call_skip},
	{"hub_stream_read_frame", call_read_frame},
	{"hub_stream_write", call_stream_write},
	{"hub_stream_printf", call_printf},
	{"hub_stream_vprintf", call_vprintf},
	{"hub_stream_write_frame", call_write_frame},
	{"hub_stream_flush", call_flush},
	{"hub_stream_close", call_stream_close},
	{"hub_stream_copy", call_copy},
	{0},
};

void
blocking_streams_begin(void)
{
	char byte = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, never.idle);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, never.full);
	while (write(never.full[0], &byte, 1) == 1)
		continue;
}

void
blocking_streams_end(void)
{
	hub_close(never.idle[0]);
	hub_close(never.idle[1]);
	hub_close(never.full[0]);
	hub_close(never.full[1]);
}
