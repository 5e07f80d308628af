/* Replies from a hostile service, as hubbub-load parses them, for libFuzzer: in pieces, cut
 * anywhere, they are what they are in one. The first byte chooses the form of the replies and
 * whether they answer HEAD, the second the cuts. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/reply_form.h"
#include "tests/load/drive/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const forms[] = {"http", "resp", "line", "len32", "bytes:7",
	"until:\\r\\n.\\r\\n", "until:abcabd", "until:aab"};

/* What a parser says of a stream: its text, and where each reply ends and how. */
struct reading {
	char *told;
	size_t length, room;
};

static void
tell(struct reading *reading, const void *bytes, size_t length)
{
	if (reading->length + length > reading->room) {
		reading->room = 2 * (reading->length + length);
		reading->told = realloc(reading->told, reading->room);
		if (reading->told == NULL)
			abort();
	}
	memcpy(reading->told + reading->length, bytes, length);
	reading->length += length;
}

static void
tell_end(struct reading *reading, const struct reply *reply, size_t at, const char *fault)
{
	char text[160];
	int length = snprintf(text, sizeof text, "<%zu %d %d %d %s>", at, reply->status,
		reply->is_error, reply->closes, fault != NULL ? fault : "");

	if (length <= 0 || (size_t)length >= sizeof text)
		abort();
	tell(reading, text, (size_t)length);
}

/* The next piece: a long one, or one of a few bytes. */
static size_t
draw_length(uint32_t *state, size_t left)
{
	size_t length;

	*state = *state * 1664525 + 1013904223;
	length = *state >> 30 == 0 ? left : (*state >> 24) % 7 + 1;
	return length < left ? length : left;
}

/* Reads all of the stream. Each piece is an allocation of its own, beyond whose ends
 * AddressSanitizer sees reads. cuts is 0 for one piece. */
static struct reading
read_stream(const struct reply_form *form, bool is_head, const uint8_t *stream, size_t size,
	uint32_t cuts)
{
	struct reading reading = {0};
	struct reply reply = {.is_head = is_head};
	size_t at = 0, begun = 0;

	while (at < size) {
		size_t length = cuts == 0 ? size - at : draw_length(&cuts, size - at);
		char *bytes = malloc(length);
		struct reply_piece piece;

		if (bytes == NULL)
			abort();
		memcpy(bytes, stream + at, length);
		piece = reply_take(form, &reply, bytes, length);
		if (piece.length > length || (piece.length == 0 && piece.fault == NULL))
			abort();
		if (piece.text_length > 0)
			tell(&reading, piece.text, piece.text_length);
		free(bytes);
		at += piece.length;
		if (piece.fault != NULL) {
			/* How much of its text was told depends on the cuts. */
			reading.length = begun;
			tell_end(&reading, &reply, at, piece.fault);
			return reading;
		}
		if (piece.is_whole) {
			tell_end(&reading, &reply, at, NULL);
			begun = reading.length;
			reply = (struct reply){.is_head = is_head};
		}
	}
	tell_end(&reading, &reply, reply_ends_by_close(form, &reply), NULL);
	return reading;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply_form form;
	struct reading whole, pieces;

	if (size < 3)
		return 0;
	if (reply_form_read(forms[data[0] % (sizeof forms / sizeof *forms)], &form) != NULL)
		abort();
	whole = read_stream(&form, data[0] & 8, data + 2, size - 2, 0);
	pieces = read_stream(&form, data[0] & 8, data + 2, size - 2, data[1] + 1U);
	if (whole.length != pieces.length || memcmp(whole.told, pieces.told, whole.length) != 0) {
		fprintf(stderr, "in one piece:\n%.*s\nin many:\n%.*s\n", (int)whole.length,
			whole.told, (int)pieces.length, pieces.told);
		abort();
	}
	free(whole.told);
	free(pieces.told);
	return 0;
}
