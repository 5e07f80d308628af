/* Both sides tell their bytes at places of their own, and the first to tell a place decides. Heads
 * of frames are written here once more, from their description. */
#include "tests/sim/currents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char
letter(uint64_t value)
{
	return value % 29 == 0 ? '\n' : (unsigned char)('a' + value % 8);
}

void
current_draw(struct current *current, unsigned char *bytes, size_t length)
{
	uint64_t key = ((uint64_t)current->wire->serial * 2 + (unsigned)current->from) << 40;

	for (size_t i = 0; i < length; i++) {
		uint64_t value = (key ^ current->drawn++) * UINT64_C(0x9e3779b97f4a7c15) >> 40;

		bytes[i] = current->kind == HUB_FRAME_LINE ? letter(value) : (unsigned char)value;
	}
}

/* Compares what is known at the place. Returns how many bytes that were. */
static size_t
compare(struct current *current, size_t place, const void *bytes, size_t length, const char *what)
{
	size_t known = current->known > place ? current->known - place : 0;
	size_t common = known < length ? known : length;

	if (common > 0 && memcmp(current->bytes + place, bytes, common) != 0)
		wires_complain(current->wire, what, (long)place);
	return common;
}

/* The bytes may be the current's own: a stream may be copied to the other end of its wire. */
static void
append(struct current *current, const unsigned char *bytes, size_t length)
{
	unsigned char *all = current->bytes;

	if (length == 0)
		return;
	if (current->known + length > current->size) {
		current->size = 2 * (current->known + length);
		all = calloc(1, current->size);
		if (current->known > 0)
			memcpy(all, current->bytes, current->known);
	}
	memcpy(all + current->known, bytes, length);
	if (all != current->bytes)
		free(current->bytes);
	current->bytes = all;
	current->known += length;
}

static void
tell(struct current *current, size_t *place, const void *bytes, size_t length, const char *what)
{
	size_t common;

	if (current->is_torn)
		return;
	common = compare(current, *place, bytes, length, what);
	append(current, (const unsigned char *)bytes + common, length - common);
	*place += length;
}

void
current_say(struct current *current, const void *bytes, size_t length)
{
	tell(current, &current->said, bytes, length,
		"what was read before it was written is wrong");
}

void
current_see(struct current *current, const void *bytes, size_t length)
{
	tell(current, &current->seen, bytes, length, "a byte is not the one that comes next");
}

void
current_peek(struct current *current, const void *bytes, size_t length)
{
	if (!current->is_torn)
		compare(current, current->seen, bytes, length, "what is shown does not come next");
}

const unsigned char *
current_next(const struct current *current, size_t length)
{
	if (current->is_torn || current->known - current->seen < length)
		return NULL;
	return current->bytes + current->seen;
}

bool
current_may_lack_bytes(const struct current *current)
{
	const struct wire_end *from = &current->wire->ends[current->from];

	/* What a stream held when the world closed its descriptor is lost. */
	return current->wire->is_spoiled || current->is_torn || current->writers > 0 ||
	       (from->fd == -1 && !from->has_ended);
}

void
current_end(const struct current *current)
{
	if (current_may_lack_bytes(current))
		return;
	if (!current->wire->ends[current->from].has_ended)
		wires_complain(current->wire, "an end comes that nobody has made", current->from);
	if (current->seen != current->said)
		wires_complain(current->wire, "bytes are missing, and nobody has seen an error",
			(long)(current->said - current->seen));
}

void
current_free(struct current *current)
{
	free(current->bytes);
	free(current);
}

/* ---- frames ---- */

static const struct {
	unsigned width;
	bool is_little;
} fixed[HUB_FRAME_MAX] = {
	[HUB_FRAME_8] = {1, false},
	[HUB_FRAME_16] = {2, false},
	[HUB_FRAME_32] = {4, false},
	[HUB_FRAME_64] = {8, false},
	[HUB_FRAME_16_LITTLE] = {2, true},
	[HUB_FRAME_32_LITTLE] = {4, true},
	[HUB_FRAME_64_LITTLE] = {8, true},
};

size_t
frame_head(enum hub_frame kind, uint64_t length, unsigned char *head)
{
	unsigned width = fixed[kind].width, i = 0;

	if (kind == HUB_FRAME_LINE)
		return 0;
	if (kind == HUB_FRAME_NETSTRING)
		return (size_t)snprintf(
			(char *)head, FRAME_HEAD_MOST, "%llu:", (unsigned long long)length);
	if (kind == HUB_FRAME_VARINT) {
		do
			head[i++] = (unsigned char)((length & 127) + (length > 127 ? 128 : 0));
		while ((length >>= 7) > 0);
		return i;
	}
	for (i = 0; i < width; i++)
		head[fixed[kind].is_little ? i : width - 1 - i] = (unsigned char)(length >> 8 * i);
	return width;
}

const char *
frame_tail(enum hub_frame kind)
{
	return kind == HUB_FRAME_LINE ? "\n" : kind == HUB_FRAME_NETSTRING ? "," : "";
}

uint64_t
frame_length(enum hub_frame kind, const unsigned char *bytes, size_t *size)
{
	unsigned width = fixed[kind].width;
	uint64_t length = 0;

	*size = width;
	if (kind == HUB_FRAME_NETSTRING) {
		length = strtoull((const char *)bytes, NULL, 10);
		*size = strcspn((const char *)bytes, ":") + 1;
	} else if (kind == HUB_FRAME_VARINT) {
		do
			length |= (uint64_t)(bytes[*size] & 127) << 7 * *size;
		while (bytes[(*size)++] > 127);
	}
	for (unsigned i = 0; i < width; i++)
		length |= (uint64_t)bytes[fixed[kind].is_little ? i : width - 1 - i] << 8 * i;
	return length;
}
