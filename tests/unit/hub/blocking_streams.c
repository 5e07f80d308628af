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
	struct hub_stream *reader, *writer;
	struct hub_stream *written; /* holds bytes that are to be sent */
} never;

static char large[LARGE];

static int
failed_pointer(const void *result)
{
	return result == NULL ? -1 : 0;
}

static int
call_read_line(void)
{
	return failed_pointer(hub_stream_read_line(never.reader, NULL));
}

static int
call_read_until(void)
{
	return failed_pointer(hub_stream_read_until(never.reader, "\r\n", 2, NULL));
}

static int
call_read_exactly(void)
{
	return failed_pointer(hub_stream_read_exactly(never.reader, 10));
}

static int
call_read_some(void)
{
	size_t length;

	return failed_pointer(hub_stream_read_some(never.reader, 10, &length));
}

static int
call_peek(void)
{
	size_t length;

	return failed_pointer(hub_stream_peek(never.reader, 10, &length));
}

static int
call_stream_read(void)
{
	char bytes[10];

	return (int)hub_stream_read(never.reader, bytes, sizeof bytes);
}

static int
call_skip(void)
{
	return hub_stream_skip(never.reader, 10);
}

static int
call_read_frame(void)
{
	return failed_pointer(hub_stream_read_frame(never.reader, HUB_FRAME_NETSTRING, NULL));
}

static int
call_stream_write(void)
{
	return (int)hub_stream_write(never.writer, large, LARGE);
}

static int
call_printf(void)
{
	return (int)hub_stream_printf(never.writer, "%*s", (int)LARGE, "");
}

static int
vprintf_with(const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = (int)hub_stream_vprintf(never.writer, format, arguments);
	va_end(arguments);
	return result;
}

static int
call_vprintf(void)
{
	return vprintf_with("%*s", (int)LARGE, "");
}

static int
call_write_frame(void)
{
	return hub_stream_write_frame(never.writer, HUB_FRAME_32, large, LARGE);
}

static int
call_flush(void)
{
	return hub_stream_flush(never.written);
}

static int
call_stream_close(void)
{
	struct hub_timeout shield;
	struct hub_stream *stream = hub_stream_new(never.full[0], NULL);

	/* A call in an expired scope writes nothing. */
	hub_shield_start(&shield);
	hub_stream_write(stream, "x", 1);
	hub_shield_stop(&shield);
	return hub_stream_close(stream);
}

static int
call_copy(void)
{
	return (int)hub_stream_copy(never.reader, never.writer, 10);
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
	never.reader = hub_stream_new(never.idle[0], NULL);
	never.writer = hub_stream_new(never.full[0], NULL);
	never.written = hub_stream_new(never.full[0], NULL);
	hub_stream_write(never.written, "x", 1);
}

void
blocking_streams_end(void)
{
	hub_stream_free(never.reader);
	hub_stream_free(never.writer);
	hub_stream_free(never.written);
}
