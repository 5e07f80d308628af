/* The calls that read: what each takes, and that one which fails has taken nothing. Most read from
 * memory, of which a stream gets as much at once as its buffer holds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/io/buffers_priv.h"
#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_stream *
over(const char *text)
{
	return hub_stream_new_memory(text, strlen(text), NULL);
}

/* Appends the name of a call, and the view that it has returned, or the error. */
static void
say_view(const char *name, const char *view, const size_t *length)
{
	if (view == NULL)
		trace_error(name, errno);
	else if (length != NULL)
		trace_say("%s %zu '%s'", name, *length, view);
	else
		trace_say("%s '%s'", name, view);
}

static void *
lines_body(void *argument)
{
	struct hub_stream *stream = over("one\r\n\n\r\n\rtwo\r\r\nlast");
	size_t length = 0;

	for (int i = 0; i < 5; i++) {
		const char *line = hub_stream_read_line(stream, &length);

		say_view("line", line, &length);
	}
	trace_say("buffered %zu", hub_stream_buffered(stream));
	say_view("some", hub_stream_read_some(stream, 3, &length), &length);
	say_view("some", hub_stream_read_some(stream, 9, &length), &length);
	say_view("some", hub_stream_read_some(stream, 9, &length), &length);
	hub_stream_free(stream);
	return argument;
}

Test(stream_read, lines_end_with_their_newline)
{
	in_hub(lines_body, NULL);
	cr_assert_str_eq(trace_text(),
		"line 3 'one', line 0 '', line 0 '', line 5 '\rtwo\r', "
		"line EBADMSG, buffered 4, some 3 'las', some 1 't', some 0");
}

static void *
nul_body(void *argument)
{
	struct hub_stream *stream = hub_stream_new_memory("a\0b\n", 4, NULL);
	size_t length = 0;
	const char *line = hub_stream_read_line(stream, &length);

	trace_whether("whole", length == 3 && memcmp(line, "a\0b", 4) == 0);
	hub_stream_free(stream);
	return argument;
}

Test(stream_read, lines_may_have_nuls)
{
	in_hub(nul_body, NULL);
	cr_assert_str_eq(trace_text(), "whole");
}

static void *
mixed_body(void *argument)
{
	struct hub_stream *stream = over("key: value\r\n\r\n12345rest of it");
	size_t length = 0;
	char into[4] = "";

	say_view("until", hub_stream_read_until(stream, ": ", 2, &length), &length);
	say_view("until", hub_stream_read_until(stream, "\r\n\r\n", 4, &length), &length);
	say_view("exactly", hub_stream_read_exactly(stream, 2), NULL);
	say_view("peek", hub_stream_peek(stream, 1, &length), &length);
	trace_call("read", hub_stream_read(stream, into, 3));
	trace_say("'%s'", into);
	trace_call("skip", hub_stream_skip(stream, 5));
	say_view("none", hub_stream_read_exactly(stream, 0), NULL);
	say_view("exactly", hub_stream_read_exactly(stream, 10), NULL);
	say_view("until", hub_stream_read_until(stream, "!", 1, &length), &length);
	say_view("nothing", hub_stream_read_until(stream, "", 0, &length), &length);
	trace_call("skip", hub_stream_skip(stream, 10));
	trace_call("skip", hub_stream_skip(stream, 1));
	say_view("peek", hub_stream_peek(stream, 1, &length), &length);
	trace_call("read", hub_stream_read(stream, into, 3));
	hub_stream_free(stream);
	return argument;
}

/* The byte that a view's NUL stands for is read next. */
Test(stream_read, calls_take_what_they_say)
{
	in_hub(mixed_body, NULL);
	cr_assert_str_eq(trace_text(),
		"until 3 'key', until 5 'value', exactly '12', peek 13 '345rest of it', read 3, "
		"'345', skip 5, none '', exactly EBADMSG, until EBADMSG, nothing EINVAL, "
		"skip 5, skip 0, peek 0, read 0");
}

static void *
limit_body(void *argument)
{
	struct hub_stream_options options = {.longest = 5};
	struct hub_stream *stream = hub_stream_new_memory("12345\r\n123456\n1", 15, &options);
	size_t length = 0;

	say_view("line", hub_stream_read_line(stream, &length), &length);
	say_view("line", hub_stream_read_line(stream, &length), &length);
	say_view("line", hub_stream_read_line(stream, &length), &length);
	trace_say("buffered %zu", hub_stream_buffered(stream));
	say_view("until", hub_stream_read_until(stream, "\n", 1, &length), &length);
	say_view("exactly", hub_stream_read_exactly(stream, 6), NULL);
	say_view("peek", hub_stream_peek(stream, 6, &length), &length);
	say_view("exactly", hub_stream_read_exactly(stream, 5), NULL);
	hub_stream_free(stream);
	return argument;
}

Test(stream_read, what_is_too_long_is_an_error_and_stays)
{
	in_hub(limit_body, NULL);
	cr_assert_str_eq(trace_text(),
		"line 5 '12345', line EMSGSIZE, line EMSGSIZE, buffered 8, until EMSGSIZE, "
		"exactly EMSGSIZE, peek EMSGSIZE, exactly '12345'");
}

/* A line without an end comes, and comes. */
static void *
endless_body(void *argument)
{
	static char text[200000];
	struct hub_stream *stream;
	size_t length;

	memset(text, 'x', sizeof text);
	stream = hub_stream_new_memory(text, sizeof text, NULL);
	say_view("line", hub_stream_read_line(stream, &length), NULL);
	trace_whether("buffered", hub_stream_buffered(stream) <= 65536 + 2);
	hub_stream_free(stream);
	return argument;
}

Test(stream_read, a_line_without_end_takes_no_more_than_the_limit)
{
	in_hub(endless_body, NULL);
	cr_assert_str_eq(trace_text(), "line EMSGSIZE, buffered");
}

/* ---- long ones, in pieces ---- */

#define LINES 300

/* Line i has so many bytes: all sizes around that of the buffer, and small ones between them. */
static size_t
line_length(int i)
{
	return i % 3 == 0 ? BUFFER_SIZE - 50 + (size_t)i / 3 : (size_t)i * 7 % 40;
}

static void
write_lines(char *text)
{
	for (int i = 0; i < LINES; i++) {
		memset(text, 'a' + i % 26, line_length(i));
		text += line_length(i);
		*text++ = '\n';
	}
}

static bool
is_line(int i, const char *line, size_t length)
{
	if (length != line_length(i) || line[length] != '\0')
		return false;
	for (size_t at = 0; at < length; at++)
		if (line[at] != 'a' + i % 26)
			return false;
	return true;
}

static void
read_lines(struct hub_stream *stream)
{
	size_t length;
	int right = 0;

	for (int i = 0; i < LINES; i++) {
		const char *line = hub_stream_read_line(stream, &length);

		right += line != NULL && is_line(i, line, length);
	}
	trace_say("%d right", right);
	trace_whether("more", hub_stream_read_line(stream, NULL) != NULL || errno != 0);
}

struct sender {
	int fd;
	const char *text;
	size_t length;
};

static void *
send_in_pieces(void *argument)
{
	const struct sender *sender = argument;

	for (size_t done = 0, i = 0; done < sender->length; i++) {
		size_t piece = 1 + i * 7919 % 5000;

		if (piece > sender->length - done)
			piece = sender->length - done;
		hub_send(sender->fd, sender->text + done, piece, 0);
		done += piece;
		if (i % 3 == 0)
			hub_sleep(0);
	}
	hub_shutdown(sender->fd, SHUT_WR);
	return NULL;
}

static void *
long_body(void *argument)
{
	size_t length = 0;
	struct hub_coroutine *coroutine;
	struct hub_stream *stream;
	struct sender sender;
	char *text;
	int pair[2];

	for (int i = 0; i < LINES; i++)
		length += line_length(i) + 1;
	text = malloc(length);
	write_lines(text);
	stream = hub_stream_new_memory(text, length, NULL);
	read_lines(stream);
	hub_stream_free(stream);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	sender = (struct sender){pair[1], text, length};
	coroutine = hub_spawn(send_in_pieces, &sender);
	stream = hub_stream_new(pair[0], NULL);
	read_lines(stream);
	hub_stream_free(stream);
	hub_join(coroutine, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	free(text);
	return argument;
}

Test(stream_read, lines_of_all_lengths_come_whole)
{
	in_hub(long_body, NULL);
	cr_assert_str_eq(trace_text(), "300 right, not more, 300 right, not more");
}

/* The whole text in one call: the first bytes by way of the buffer, the others directly. */
static void *
whole_body(void *argument)
{
	static char text[100000], got[sizeof text + 1];
	struct sender sender = {.text = text, .length = sizeof text};
	struct hub_coroutine *coroutine;
	struct hub_stream *stream;
	int pair[2];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)(i * 31 % 127);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	sender.fd = pair[1];
	coroutine = hub_spawn(send_in_pieces, &sender);
	stream = hub_stream_new(pair[0], NULL);
	memcpy(got, hub_stream_read_exactly(stream, 10), 10);
	trace_call("read", hub_stream_read(stream, got + 10, sizeof got - 10));
	trace_whether("equal", memcmp(text, got, sizeof text) == 0);
	trace_call("read", hub_stream_read(stream, got, 1));
	hub_join(coroutine, NULL);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_read, many_bytes_go_to_the_callers_memory)
{
	in_hub(whole_body, NULL);
	cr_assert_str_eq(trace_text(), "read 99990, equal, read 0");
}

static void *
other_body(void *argument)
{
	struct hub_stream *stream = over("a;b\r");
	size_t length = 0;

	say_view("line", hub_stream_read_line(stream, &length), &length);
	say_view("until", hub_stream_read_until(stream, ";", 1, &length), &length);
	say_view("until", hub_stream_read_until(stream, "\n", 1, &length), &length);
	say_view("until", hub_stream_read_until(stream, "b\r", 2, &length), &length);
	hub_stream_free(stream);
	return argument;
}

Test(stream_read, what_a_call_has_searched_another_searches_again)
{
	in_hub(other_body, NULL);
	cr_assert_str_eq(trace_text(), "line EBADMSG, until 1 'a', until EBADMSG, until 0 ''");
}

static void *
read_line_and_until(void *stream)
{
	size_t length = 0;

	say_view("line", hub_stream_read_line(stream, &length), NULL);
	say_view("until", hub_stream_read_until(stream, "ab", 2, &length), &length);
	return NULL;
}

/* A line is looked for in what has come so far, which ends within another delimiter. */
static void *
other_delimiter_body(void *argument)
{
	struct hub_stream_options options = {.longest = 20};
	struct hub_coroutine *reader;
	struct hub_stream *stream;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = hub_stream_new(pair[0], &options);
	reader = hub_spawn(read_line_and_until, stream);
	hub_send(pair[1], "0123456789.2a", 13, 0);
	hub_sleep(10 * HUB_MILLISECOND);
	hub_send(pair[1], "b...................................\n", 37, 0);
	hub_join(reader, NULL);
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(stream_read, what_no_line_ends_in_may_end_with_another_delimiter)
{
	in_hub(other_delimiter_body, NULL);
	cr_assert_str_eq(trace_text(), "line EMSGSIZE, until 12 '0123456789.2'");
}
