/* Random programs over streams, in random worlds: one side writes what a seed tells, by every call
 * that writes; the other reads it by every call that reads, whatever pieces it comes in, and
 * is interrupted in between, after which it goes on. Each knows what must come: the bytes of a table,
 * cut into records. Some records are requests, whose writer waits for an answer before it goes
 * on; neither flushes them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/worlds.h"

enum { WORLDS = 60, RECORDS_MOST = 40, LONG = 30000, SHORT = 200, LONGEST = 64 * 1024 };

#define PATIENCE (60 * HUB_SECOND)

TestSuite(random_streams, .timeout = 120);

/* How a record is written, and so read. */
enum way {
	WAY_BYTES,
	WAY_LINE,
	WAY_UNTIL,
	WAY_PRINTED,
	WAY_FRAME,
	WAY_REQUEST, /* a line that is answered by its length */
	WAY_MAX
};

struct record {
	enum way way;
	enum hub_frame frame;
	size_t length;
};

static struct {
	struct record records[RECORDS_MOST];
	unsigned count;
	int ends[2];
	bool is_broken; /* a call has failed, in trouble, or a part was written */
} talk;

static char letters[LONG + 26];

/* The bytes of a record: letters, from one on that its number says. */
static const char *
bytes_of(unsigned number)
{
	return letters + number % 26;
}

static void
draw_records(void)
{
	for (size_t i = 0; i < sizeof letters; i++)
		letters[i] = (char)('a' + i % 26);
	talk.count = 1 + below(RECORDS_MOST);
	for (unsigned i = 0; i < talk.count; i++) {
		struct record *record = &talk.records[i];

		*record = (struct record){.way = below(WAY_MAX),
			.frame = below(HUB_FRAME_MAX),
			.length = below(once_in(6) ? LONG : SHORT)};
		if (record->frame == HUB_FRAME_8 || record->way == WAY_PRINTED)
			record->length %= SHORT;
	}
}

/* ---- what interrupts ---- */

/* Whether a failed call is to be made again. */
static bool
is_again(void)
{
	if (errno == EINTR)
		return true;
	talk.is_broken = true;
	if (!in_trouble() && errno != ECANCELED)
		wrong("a call on a stream fails with errno %d", errno);
	return false;
}

/* ---- writing ---- */

static ssize_t
write_frame(struct hub_stream *stream, const struct record *record, const char *bytes)
{
	return hub_stream_write_frame(stream, record->frame, bytes, record->length) == 0
		       ? (ssize_t)record->length
		       : -1;
}

/* All of the bytes: a call that was interrupted after a part returns that. */
static bool
write_all(struct hub_stream *stream, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t piece = 1 + below((unsigned)length);
		ssize_t written = hub_stream_write(stream, bytes, piece);

		if (written < 0 && !is_again())
			return false;
		if (written > (ssize_t)piece)
			wrong("more is written than there was");
		bytes += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
		/* So that the rest comes later. */
		if (once_in(6) && hub_stream_flush(stream) == 0)
			hub_sleep(below(2) * HUB_MILLISECOND);
	}
	return true;
}

static bool
await_answer(struct hub_stream *stream, size_t length)
{
	char *line;

	while ((line = hub_stream_read_line(stream, NULL)) == NULL)
		if (errno == 0 || !is_again())
			return false;
	if ((size_t)atol(line) != length)
		wrong("a request of %zu bytes is answered by \"%s\"", length, line);
	return true;
}

static bool
write_record(struct hub_stream *stream, unsigned number)
{
	const struct record *record = &talk.records[number];
	const char *bytes = bytes_of(number);

	switch (record->way) {
	case WAY_PRINTED:
		return hub_stream_printf(stream, "%.*s;", (int)record->length, bytes) ==
		       (ssize_t)record->length + 1;
	case WAY_FRAME:
		return write_frame(stream, record, bytes) == (ssize_t)record->length;
	default:
		break;
	}
	if (!write_all(stream, bytes, record->length))
		return false;
	if (record->way == WAY_LINE)
		return once_in(2) ? write_all(stream, "\n", 1) : write_all(stream, "\r\n", 2);
	if (record->way == WAY_UNTIL)
		return write_all(stream, "<>\n", 3);
	if (record->way == WAY_REQUEST)
		return write_all(stream, "\n", 1) && await_answer(stream, record->length);
	return true;
}

static void *
write_records(void *unused)
{
	struct hub_stream *stream = hub_stream_new(talk.ends[0], NULL);

	for (unsigned i = 0; stream != NULL && i < talk.count; i++) {
		if (!write_record(stream, i)) {
			talk.is_broken = true;
			break;
		}
		if (once_in(8))
			hub_stream_flush(stream);
		if (once_in(4))
			hub_sleep(below(5) * HUB_MILLISECOND);
	}
	if (stream == NULL || hub_stream_close(stream) != 0)
		talk.is_broken = true;
	if (hub_shutdown(talk.ends[0], SHUT_WR) != 0)
		talk.is_broken = true;
	return unused;
}

/* ---- reading ---- */

static void
compare(unsigned number, const char *got, size_t length, size_t offset)
{
	if (memcmp(got, bytes_of(number) + offset, length) != 0)
		wrong("record %u of kind %d: other bytes come than were written", number,
			talk.records[number].way);
}

/* Bytes without an end of their own, by whatever call. Returns how many, or -1. */
static ssize_t
read_some(struct hub_stream *stream, unsigned number, size_t offset)
{
	static char room[LONG];
	size_t most = 1 + below((unsigned)(talk.records[number].length - offset)), length = most;
	const char *view = NULL;
	ssize_t got;

	switch (below(5)) {
	case 0:
		got = hub_stream_read(stream, room, most);
		compare(number, room, got > 0 ? (size_t)got : 0, offset);
		return got;
	case 1:
		return hub_stream_skip(stream, 1) == 0 ? 1 : -1;
	case 2:
		view = hub_stream_read_exactly(stream, most);
		break;
	case 3:
		view = hub_stream_peek(stream, 1 + below((unsigned)most), &length);
		if (view == NULL)
			return -1;
		compare(number, view, length < most ? length : most, offset);
		return 0;
	default:
		view = hub_stream_read_some(stream, most, &length);
	}
	if (view == NULL)
		return -1;
	if (length > most || view[length] != '\0')
		wrong("a view is longer than asked for, or has no NUL behind it");
	compare(number, view, length, offset);
	return (ssize_t)length;
}

static bool
read_bytes(struct hub_stream *stream, unsigned number)
{
	size_t offset = 0;

	while (offset < talk.records[number].length) {
		ssize_t got;

		errno = 0;
		got = read_some(stream, number, offset);
		if (got < 0 && (errno == 0 || !is_again()))
			return false;
		if (got < 0 && is_wrong())
			return false;
		offset += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static char *
read_view(struct hub_stream *stream, const struct record *record, size_t *length)
{
	switch (record->way) {
	case WAY_UNTIL:
		return hub_stream_read_until(stream, "<>\n", 3, length);
	case WAY_PRINTED:
		return hub_stream_read_until(stream, ";", 1, length);
	case WAY_FRAME:
		return hub_stream_read_frame(stream, record->frame, length);
	default:
		return hub_stream_read_line(stream, length);
	}
}

static bool
read_record(struct hub_stream *stream, unsigned number)
{
	const struct record *record = &talk.records[number];
	size_t length;
	char *view;

	if (record->way == WAY_BYTES)
		return read_bytes(stream, number);
	while ((view = read_view(stream, record, &length)) == NULL)
		if (errno == 0 || !is_again())
			return false;
	if (length != record->length)
		wrong("record %u of kind %d has %zu bytes instead of %zu", number, record->way,
			length, record->length);
	else
		compare(number, view, length, 0);
	/* Nobody flushes it. */
	if (record->way == WAY_REQUEST)
		hub_stream_printf(stream, "%zu\n", length);
	return !is_wrong();
}

static void *
read_records(void *unused)
{
	struct hub_stream *stream =
		hub_stream_new(talk.ends[1], &(struct hub_stream_options){.longest = LONGEST});
	unsigned number = 0;
	char *more;

	while (stream != NULL && number < talk.count && read_record(stream, number) &&
		!is_wrong()) {
		number++;
		if (once_in(4))
			hub_sleep(below(20) * HUB_MILLISECOND);
	}
	if (stream != NULL && number == talk.count && !talk.is_broken) {
		while ((more = hub_stream_read_some(stream, 1, NULL)) == NULL && errno == EINTR)
			continue;
		if (more != NULL)
			wrong("more comes than was written");
		else if (errno != 0 && !in_trouble())
			wrong("the end of a stream is errno %d", errno);
	} else if (!talk.is_broken && !in_trouble()) {
		wrong("only %u of %u records have come", number, talk.count);
	}
	hub_stream_free(stream);
	/* Whoever still writes has nobody to read. */
	hub_shutdown(talk.ends[1], SHUT_RDWR);
	return unused;
}

/* ---- a world ---- */

/* Interrupts the calls of both now and then. */
static void *
interrupt_often(void *coroutines)
{
	struct hub_coroutine **both = coroutines;

	while (hub_sleep(below(10) * HUB_MILLISECOND) == 0)
		hub_interrupt(both[below(2)]);
	return NULL;
}

static void
open_ends(void)
{
	int size = 4096 << below(5);

	while (socketpair(AF_UNIX, SOCK_STREAM, 0, talk.ends) != 0)
		continue;
	setsockopt(talk.ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void *
body(void *unused)
{
	struct hub_coroutine *both[2], *interrupter;
	struct hub_timeout scope;
	size_t ended;

	memset(&talk, 0, sizeof talk);
	draw_records();
	open_ends();
	both[0] = hub_spawn(write_records, NULL);
	both[1] = hub_spawn(read_records, NULL);
	interrupter = hub_spawn(interrupt_often, both);
	hub_timeout_start(&scope, PATIENCE);
	if (hub_wait_ended(both, 2, 2, 0, &ended) != 0)
		wrong("a writer or a reader waits for ever");
	hub_timeout_stop(&scope);
	hub_kill(interrupter);
	hub_join(interrupter, NULL);
	for (int i = 0; i < 2; i++) {
		hub_kill(both[i]);
		hub_join(both[i], NULL);
	}
	hub_close(talk.ends[0]);
	hub_close(talk.ends[1]);
	return unused;
}

Test(random_streams, carry_what_is_written)
{
	in_worlds(body, WORLDS);
}
