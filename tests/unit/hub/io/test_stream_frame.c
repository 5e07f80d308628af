/* Frames: each kind comes back as it was written, in any pieces, and nonsense is an error. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static const struct written {
	enum hub_frame kind;
	const char *bytes;
	size_t length;
} written[] = {
	{HUB_FRAME_LINE, "hi\n", 3},
	{HUB_FRAME_NETSTRING, "2:hi,", 5},
	{HUB_FRAME_8, "\2hi", 3},
	{HUB_FRAME_16, "\0\2hi", 4},
	{HUB_FRAME_32, "\0\0\0\2hi", 6},
	{HUB_FRAME_64, "\0\0\0\0\0\0\0\2hi", 10},
	{HUB_FRAME_16_LITTLE, "\2\0hi", 4},
	{HUB_FRAME_32_LITTLE, "\2\0\0\0hi", 6},
	{HUB_FRAME_64_LITTLE, "\2\0\0\0\0\0\0\0hi", 10},
	{HUB_FRAME_VARINT, "\2hi", 3},
};

static void *
bytes_body(void *argument)
{
	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		struct hub_stream *stream = hub_stream_new_memory(NULL, 0, NULL);
		size_t length;
		const char *output;

		hub_stream_write_frame(stream, written[i].kind, "hi", 2);
		output = hub_stream_output(stream, &length);
		if (length != written[i].length || memcmp(output, written[i].bytes, length) != 0)
			trace_say("kind %u is wrong", written[i].kind);
		hub_stream_free(stream);
	}
	return argument;
}

Test(stream_frame, is_written_as_its_kind_says)
{
	in_hub(bytes_body, NULL);
	cr_assert_eq(sizeof written / sizeof *written, HUB_FRAME_MAX);
	cr_assert_str_eq(trace_text(), "");
}

/* ---- there and back ---- */

static const size_t lengths[] = {0, 1, 2, 127, 128, 129, 255, 256, 16383, 16384, 20000, 65535};

#define LENGTHS (sizeof lengths / sizeof *lengths)

static char bytes[65536];

static bool
fits(enum hub_frame kind, size_t length)
{
	return kind != HUB_FRAME_8 || length < 256;
}

static void *
write_all(void *stream)
{
	for (enum hub_frame kind = 0; kind < HUB_FRAME_MAX; kind++)
		for (size_t i = 0; i < LENGTHS; i++) {
			int result = hub_stream_write_frame(stream, kind, bytes, lengths[i]);

			if (result != (fits(kind, lengths[i]) ? 0 : -1))
				trace_say("kind %u, %zu: %d", kind, lengths[i], result);
		}
	hub_stream_close(stream);
	return NULL;
}

static void
read_all(struct hub_stream *stream)
{
	size_t length;

	for (enum hub_frame kind = 0; kind < HUB_FRAME_MAX; kind++)
		for (size_t i = 0; i < LENGTHS; i++) {
			const char *view;

			if (!fits(kind, lengths[i]))
				continue;
			view = hub_stream_read_frame(stream, kind, &length);
			if (view == NULL || length != lengths[i] || view[length] != '\0' ||
				memcmp(view, bytes, length) != 0)
				trace_say("kind %u, %zu is wrong", kind, lengths[i]);
		}
}

static void *
back_body(void *argument)
{
	struct hub_coroutine *writer;
	struct hub_stream *stream;
	int pair[2];

	/* A line has no newline in it. */
	memset(bytes, 'x', sizeof bytes);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	writer = hub_spawn(write_all, hub_stream_new(pair[1], NULL));
	stream = hub_stream_new(pair[0], NULL);
	read_all(stream);
	hub_join(writer, NULL);
	hub_shutdown(pair[1], SHUT_WR);
	trace_pointer("more", hub_stream_read_frame(stream, HUB_FRAME_8, NULL));
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_frame, of_every_kind_and_length_comes_back)
{
	in_hub(back_body, NULL);
	cr_assert_str_eq(trace_text(), "more 0");
}

/* ---- nonsense ---- */

static const struct nonsense {
	enum hub_frame kind;
	const char *bytes;
	size_t length;
	int error;
} nonsense[] = {
	{HUB_FRAME_NETSTRING, ":,", 2, EPROTO},
	{HUB_FRAME_NETSTRING, "x", 1, EPROTO},
	{HUB_FRAME_NETSTRING, "02:hi,", 6, EPROTO},
	{HUB_FRAME_NETSTRING, "-1:", 3, EPROTO},
	{HUB_FRAME_NETSTRING, "2:hi;", 5, EPROTO},
	{HUB_FRAME_NETSTRING, "2:hi", 4, EBADMSG},
	{HUB_FRAME_NETSTRING, "12", 2, EBADMSG},
	{HUB_FRAME_NETSTRING, "99999999999999999999:", 21, EPROTO},
	{HUB_FRAME_NETSTRING, "9999999999999999999:", 20, EMSGSIZE},
	{HUB_FRAME_NETSTRING, "65537:", 6, EMSGSIZE},
	{HUB_FRAME_NETSTRING, "", 0, 0},
	{HUB_FRAME_8, "\5hi", 3, EBADMSG},
	{HUB_FRAME_32, "\377\377\377\377", 4, EMSGSIZE},
	{HUB_FRAME_64, "\377\377\377\377\377\377\377\377", 8, EMSGSIZE},
	{HUB_FRAME_64, "\0\0\0", 3, EBADMSG},
	{HUB_FRAME_VARINT, "\377\377\377\377\377\377\377\377\377\2", 10, EPROTO},
	{HUB_FRAME_VARINT, "\377\377\377\377\377\377\377\377\377\1", 10, EMSGSIZE},
	{HUB_FRAME_VARINT, "\200", 1, EBADMSG},
	{HUB_FRAME_MAX, "", 0, EINVAL},
};

static void *
nonsense_body(void *argument)
{
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		const struct nonsense *row = &nonsense[i];
		struct hub_stream *stream = hub_stream_new_memory(row->bytes, row->length, NULL);

		/* It stays so: nothing was taken. */
		for (int again = 0; again < 2; again++) {
			errno = ENOENT;
			if (hub_stream_read_frame(stream, row->kind, NULL) != NULL)
				trace_say("row %zu is a frame", i);
			else if (errno != row->error)
				trace_say("row %zu: %s", i, strerrorname_np(errno));
		}
		hub_stream_free(stream);
	}
	return argument;
}

Test(stream_frame, that_is_none_is_an_error)
{
	in_hub(nonsense_body, NULL);
	cr_assert_str_eq(trace_text(), "");
}

static void *
refused_body(void *argument)
{
	struct hub_stream *stream = hub_stream_new_memory(NULL, 0, NULL);
	const char *output;
	size_t length;

	trace_call("kind", hub_stream_write_frame(stream, HUB_FRAME_MAX, "x", 1));
	trace_call("newline", hub_stream_write_frame(stream, HUB_FRAME_LINE, "a\nb", 3));
	trace_call("return", hub_stream_write_frame(stream, HUB_FRAME_LINE, "a\r", 2));
	trace_call("long", hub_stream_write_frame(stream, HUB_FRAME_8, bytes, 256));
	trace_call("empty", hub_stream_write_frame(stream, HUB_FRAME_LINE, NULL, 0));
	output = hub_stream_output(stream, &length);
	trace_whether("a newline", length == 1 && output[0] == '\n');
	hub_stream_free(stream);
	return argument;
}

Test(stream_frame, that_cannot_be_written_is_refused)
{
	in_hub(refused_body, NULL);
	cr_assert_str_eq(trace_text(),
		"kind EINVAL, newline EINVAL, return EINVAL, long EMSGSIZE, empty 0, a newline");
}
