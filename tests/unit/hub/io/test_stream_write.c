/* The calls that write: what is held and what is sent, and that each call's bytes stay together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/io/buffers_priv.h"
#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/streams.h"

static int pair[2];

static struct hub_stream *
over_pair(void)
{
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	return hub_stream_new(pair[0], NULL);
}

static void
end(struct hub_stream *stream)
{
	hub_stream_free(stream);
	hub_close(pair[0]);
	hub_close(pair[1]);
}

/* What has been sent by now. */
static void
say_sent(void)
{
	char bytes[100];
	ssize_t length = hub_recv(pair[1], bytes, sizeof bytes, MSG_DONTWAIT);

	if (length < 0)
		trace_say("nothing");
	else
		trace_say("'%.*s'", (int)length, bytes);
}

static void *
flush_body(void *argument)
{
	struct hub_stream *stream = over_pair();
	size_t length;

	trace_call("flush", hub_stream_flush(stream));
	trace_call("write", hub_stream_write(stream, "one", 3));
	trace_call("printf", hub_stream_printf(stream, " %s %d", "two", 3));
	trace_call("none", hub_stream_write(stream, NULL, 0));
	say_sent();
	trace_say("unsent %zu", hub_stream_unsent(stream));
	trace_call("flush", hub_stream_flush(stream));
	say_sent();
	trace_say("unsent %zu", hub_stream_unsent(stream));
	trace_whether("output", hub_stream_output(stream, &length) != NULL);
	end(stream);
	return argument;
}

Test(stream_write, is_held_until_it_is_flushed)
{
	in_hub(flush_body, NULL);
	cr_assert_str_eq(trace_text(), "flush 0, write 3, printf 6, none 0, nothing, unsent 9, "
				       "flush 0, 'one two 3', unsent 0, not output");
}

static void *
cork_body(void *argument)
{
	struct hub_stream *stream = over_pair();

	hub_stream_write(stream, "answer", 6);
	hub_stream_cork(stream, true);
	hub_send(pair[1], "a\n", 2, 0);
	hub_stream_read_line(stream, NULL);
	say_sent();
	hub_stream_cork(stream, false);
	hub_send(pair[1], "b\n", 2, 0);
	hub_stream_read_line(stream, NULL);
	say_sent();
	hub_shutdown(pair[1], SHUT_WR);
	hub_stream_read_line(stream, NULL);
	say_sent();
	end(stream);
	return argument;
}

/* More input might follow "b": the answer waits for the others. */
Test(stream_write, is_sent_before_a_read_that_waits_unless_corked)
{
	in_hub(cork_body, NULL);
	cr_assert(strncmp(trace_text(), "nothing, ", 9) == 0, "%s", trace_text());
	cr_assert_not_null(strstr(trace_text(), "'answer'"), "%s", trace_text());
}

/* ---- more than the buffer ---- */

#define LARGE ((size_t)1 << 20)

static struct {
	size_t got;
	size_t wrong;
} received;

/* Bytes are numbered, by the low eight bits. */
static void *
receive_all(void *argument)
{
	static unsigned char bytes[50000];
	ssize_t length;

	while ((length = hub_recv(pair[1], bytes, sizeof bytes, 0)) > 0)
		for (ssize_t i = 0; i < length; i++)
			received.wrong += bytes[i] != (unsigned char)received.got++;
	return argument;
}

static void *
large_body(void *argument)
{
	unsigned char *bytes = malloc(LARGE);
	struct hub_coroutine *receiver;
	struct hub_stream *stream = over_pair();
	size_t done = 0, sizes[] = {1, 100, BUFFER_SIZE - 101, 1, BUFFER_SIZE, BUFFER_SIZE + 1, 5,
				 100000, 3 * BUFFER_SIZE};

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (unsigned char)i;
	receiver = hub_spawn(receive_all, NULL);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		if (hub_stream_write(stream, bytes + done, sizes[i]) != (ssize_t)sizes[i])
			trace_say("size %zu failed", sizes[i]);
		done += sizes[i];
	}
	/* At 256 the numbers begin again. */
	hub_stream_write(stream, bytes + done, LARGE - done);
	trace_call("flush", hub_stream_flush(stream));
	hub_shutdown(pair[0], SHUT_WR);
	hub_join(receiver, NULL);
	end(stream);
	free(bytes);
	return argument;
}

Test(stream_write, of_any_size_goes_out_in_order)
{
	in_hub(large_body, NULL);
	cr_assert_str_eq(trace_text(), "flush 0");
	cr_assert_eq(received.got, LARGE);
	cr_assert_eq(received.wrong, 0);
}

static void *
printf_body(void *argument)
{
	struct hub_stream *stream = hub_stream_new_memory(NULL, 0, NULL);
	size_t length;

	for (int width = 250; width < 260; width++)
		hub_stream_printf(stream, "%*d", width, 1);
	trace_call("large", hub_stream_printf(stream, "%*d", 100000, 2));
	hub_stream_output(stream, &length);
	trace_say("%zu", length);
	hub_stream_free(stream);
	return argument;
}

Test(stream_write, by_printf_of_any_length)
{
	in_hub(printf_body, NULL);
	cr_assert_str_eq(trace_text(), "large 100000, 102545");
}

static void *
most_body(void *argument)
{
	struct hub_stream_options options = {.most = 100000};
	struct hub_stream *stream = hub_stream_new_memory(NULL, 0, &options);
	size_t length;

	trace_call("most", hub_stream_printf(stream, "%*d", 100000, 1));
	trace_call("none", hub_stream_write(stream, "", 0));
	trace_call("more", hub_stream_write(stream, "x", 1));
	trace_call("then none", hub_stream_write(stream, "", 0));
	hub_stream_free(stream);
	options.most = 3;
	stream = hub_stream_new_memory(NULL, 0, &options);
	trace_call("long", hub_stream_write(stream, "long", 4));
	trace_call("short", hub_stream_write_frame(stream, HUB_FRAME_LINE, "x", 1));
	hub_stream_output(stream, &length);
	trace_say("%zu", length);
	hub_stream_free(stream);
	return argument;
}

Test(stream_write, to_memory_up_to_a_limit_and_never_behind_a_hole)
{
	in_hub(most_body, NULL);
	cr_assert_str_eq(trace_text(), "most 100000, none 0, more EMSGSIZE, then none EMSGSIZE, "
				       "long EMSGSIZE, short EMSGSIZE, 0");
}

/* ---- several coroutines ---- */

#define WRITERS 8
#define MESSAGES 40
#define MESSAGE ((size_t)3000)

static struct hub_stream *shared;

static void *
write_messages(void *letter)
{
	char *message = malloc(7 * MESSAGE);

	memset(message, (int)(intptr_t)letter, 7 * MESSAGE);
	for (size_t i = 0; i < MESSAGES; i++)
		if (hub_stream_write(shared, message, MESSAGE * (i % 8 == 0 ? 7 : 1)) < 0)
			trace_say("failed");
	free(message);
	return NULL;
}

/* Runs of a letter are whole messages. */
static void *
check_messages(void *argument)
{
	struct hub_stream *reader = hub_stream_new(pair[1], NULL);
	size_t messages = 0;
	char *message;

	while ((message = hub_stream_read_exactly(reader, MESSAGE)) != NULL) {
		messages++;
		for (size_t i = 1; i < MESSAGE; i++)
			received.wrong += message[i] != message[0];
	}
	trace_say("%zu messages", messages);
	hub_stream_free(reader);
	return argument;
}

static void *
together_body(void *argument)
{
	struct hub_coroutine *writers[WRITERS], *reader;

	shared = over_pair();
	reader = hub_spawn(check_messages, NULL);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = hub_spawn(write_messages, (void *)(intptr_t)('a' + i));
	for (int i = 0; i < WRITERS; i++)
		hub_join(writers[i], NULL);
	trace_call("flush", hub_stream_flush(shared));
	hub_shutdown(pair[0], SHUT_WR);
	hub_join(reader, NULL);
	end(shared);
	return argument;
}

Test(stream_write, by_several_stays_together)
{
	in_hub(together_body, NULL);
	/* Five of forty are as long as seven. */
	cr_assert_str_eq(trace_text(), "flush 0, 560 messages");
	cr_assert_eq(received.wrong, 0);
}

static void *
interrupted_body(void *argument)
{
	struct hub_stream *stream = over_pair();
	struct hub_timeout scope;
	char *bytes = calloc(1, LARGE);
	size_t done = 0, got = 0;
	ssize_t length;

	hub_stream_write(stream, "x", 1);
	hub_timeout_start(&scope, 200 * HUB_MILLISECOND);
	length = hub_stream_write(stream, bytes, LARGE);
	done = length > 0 ? (size_t)length : 0;
	trace_whether("a part", done > 0 && done < LARGE);
	trace_call("then", hub_stream_write(stream, bytes, LARGE));
	trace_call("flush", hub_stream_flush(stream));
	hub_timeout_stop(&scope);
	hub_stream_write(stream, "y", 1);
	hub_shutdown(pair[0], SHUT_RD);
	while ((length = hub_recv(pair[1], bytes, LARGE, MSG_DONTWAIT)) > 0)
		got += (size_t)length;
	trace_call("flush", hub_stream_flush(stream));
	got += (size_t)hub_recv(pair[1], bytes, LARGE, MSG_DONTWAIT);
	trace_whether("all", got == done + 2);
	free(bytes);
	end(stream);
	return argument;
}

Test(stream_write, says_how_much_it_took_when_it_is_interrupted)
{
	in_hub(interrupted_body, NULL);
	cr_assert_str_eq(trace_text(), "a part, then ETIMEDOUT, flush ETIMEDOUT, flush 0, all");
}

/* ---- a reader that waits while another coroutine sends ---- */

static void *
flush(void *argument)
{
	trace_call("flush", hub_stream_flush(shared));
	return argument;
}

static void *
read_answer(void *argument)
{
	say_line(shared);
	return argument;
}

/* Receives until the text has come. */
static void
await_text(const char *text)
{
	static char bytes[200000];
	struct hub_timeout scope;
	ssize_t length;

	hub_timeout_start(&scope, 5 * HUB_SECOND);
	do
		length = hub_recv(pair[1], bytes, sizeof bytes, 0);
	while (length > 0 && memmem(bytes, (size_t)length, text, strlen(text)) == NULL);
	hub_timeout_stop(&scope);
	trace_whether(text, length > 0);
}

static void *
killed_body(void *argument)
{
	static char filler[100000];
	struct hub_coroutine *writer, *reader;

	shared = over_pair();
	while (hub_send(pair[0], filler, sizeof filler, MSG_DONTWAIT) > 0)
		continue;
	hub_stream_write(shared, "question", 8);
	writer = hub_spawn(flush, NULL);
	until_it_waits(writer);
	reader = hub_spawn(read_answer, NULL);
	until_it_waits(reader);
	hub_kill(writer);
	hub_join(writer, NULL);
	await_text("question");
	hub_send(pair[1], "answer\n", 7, 0);
	hub_join(reader, NULL);
	end(shared);
	return argument;
}

Test(stream_write, of_a_reader_is_sent_though_the_one_that_sends_is_killed)
{
	in_hub(killed_body, NULL);
	cr_assert_str_eq(trace_text(), "flush ECANCELED, question, 'answer'");
}
