/* Frames: bytes with their length before them. A kind of frame is a row: how its head is read and
 * written. A frame is consumed only when all of it has come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/io/stream_priv.h"

#define HEAD_MOST 21 /* of a netstring: 20 digits and a colon */

struct head {
	size_t size;     /* bytes of the head */
	uint64_t length; /* of what follows */
};

struct kind {
	/* Reads the head at the beginning of `held` bytes. Returns 1, 0 if more bytes are needed,
	 * or -1 if it is none. */
	int (*read)(const struct kind *kind, const unsigned char *bytes, size_t held,
		struct head *head);
	/* Writes the head of a frame; returns its bytes. */
	size_t (*write)(const struct kind *kind, unsigned char *bytes, uint64_t length);
	uint64_t most; /* the greatest length */
	uint8_t width; /* bytes of a head of fixed size */
	bool is_little;
	const char *tail; /* follows the bytes */
};

/* ---- a length of so many bytes ---- */

/* The place of the byte that counts 256 to the power of `power`. */
static unsigned
place(const struct kind *kind, unsigned power)
{
	return kind->is_little ? power : kind->width - 1U - power;
}

static int
read_fixed(const struct kind *kind, const unsigned char *bytes, size_t held, struct head *head)
{
	if (held < kind->width)
		return 0;
	*head = (struct head){.size = kind->width};
	for (unsigned power = 0; power < kind->width; power++)
		head->length |= (uint64_t)bytes[place(kind, power)] << 8 * power;
	return 1;
}

static size_t
write_fixed(const struct kind *kind, unsigned char *bytes, uint64_t length)
{
	for (unsigned power = 0; power < kind->width; power++)
		bytes[place(kind, power)] = (unsigned char)(length >> 8 * power);
	return kind->width;
}

/* ---- netstrings ---- */

/* Digits without a leading zero, and a colon. */
static int
read_netstring(const struct kind *kind, const unsigned char *bytes, size_t held, struct head *head)
{
	(void)kind;
	*head = (struct head){0};
	for (size_t i = 0; i < held; i++) {
		if (bytes[i] == ':' && i > 0) {
			head->size = i + 1;
			return 1;
		}
		/* Nineteen digits are less than 2 to the power of 64. */
		if (bytes[i] < '0' || bytes[i] > '9' || i == 19 || (i == 1 && bytes[0] == '0'))
			return -1;
		head->length = 10 * head->length + (uint64_t)(bytes[i] - '0');
	}
	return 0;
}

static size_t
write_netstring(const struct kind *kind, unsigned char *bytes, uint64_t length)
{
	(void)kind;
	return (size_t)snprintf((char *)bytes, HEAD_MOST + 1, "%" PRIu64 ":", length);
}

/* ---- varints ---- */

static int
read_varint(const struct kind *kind, const unsigned char *bytes, size_t held, struct head *head)
{
	(void)kind;
	*head = (struct head){0};
	for (size_t i = 0; i < held; i++) {
		/* The tenth byte has the one bit that is left. */
		if (i == 9 && bytes[i] > 1)
			return -1;
		head->length |= (uint64_t)(bytes[i] & 0x7f) << 7 * i;
		if (bytes[i] < 0x80) {
			head->size = i + 1;
			return 1;
		}
	}
	return 0;
}

static size_t
write_varint(const struct kind *kind, unsigned char *bytes, uint64_t length)
{
	size_t size = 0;

	(void)kind;
	for (; length >= 0x80; length >>= 7)
		bytes[size++] = (unsigned char)(length | 0x80);
	bytes[size++] = (unsigned char)length;
	return size;
}

/* ---- the table ---- */

#define FIXED(bytes, little, greatest)                                                             \
	{                                                                                          \
		read_fixed, write_fixed, greatest, bytes, little, ""                               \
	}

static const struct kind kinds[HUB_FRAME_MAX] = {
	[HUB_FRAME_NETSTRING] = {read_netstring, write_netstring, SIZE_MAX, 0, false, ","},
	[HUB_FRAME_8] = FIXED(1, false, UINT8_MAX),
	[HUB_FRAME_16] = FIXED(2, false, UINT16_MAX),
	[HUB_FRAME_32] = FIXED(4, false, UINT32_MAX),
	[HUB_FRAME_64] = FIXED(8, false, UINT64_MAX),
	[HUB_FRAME_16_LITTLE] = FIXED(2, true, UINT16_MAX),
	[HUB_FRAME_32_LITTLE] = FIXED(4, true, UINT32_MAX),
	[HUB_FRAME_64_LITTLE] = FIXED(8, true, UINT64_MAX),
	[HUB_FRAME_VARINT] = {read_varint, write_varint, UINT64_MAX, 0, false, ""},
};

/* Waits for the head. Returns whether it has come. */
static bool
have_head(struct hub_stream *stream, const struct kind *kind, struct head *head)
{
	for (;;) {
		size_t held = stream_held(stream);
		int state = 0;

		if (held > 0)
			state = kind->read(kind,
				(const void *)(stream->input.buffer + stream->input.start), held,
				head);
		if (state < 0)
			errno = EPROTO;
		if (state != 0)
			return state > 0;
		if (stream_have(stream, held + 1) != 1)
			return false;
	}
}

char *
hub_stream_read_frame(struct hub_stream *stream, enum hub_frame kind, size_t *length)
{
	const struct kind *row = kind < HUB_FRAME_MAX ? &kinds[kind] : NULL;
	size_t tail;
	struct head head;
	char *view;

	if (kind == HUB_FRAME_LINE)
		return hub_stream_read_line(stream, length);
	if (row == NULL) {
		errno = EINVAL;
		return NULL;
	}
	if (!stream_begin_read(stream) || !have_head(stream, row, &head))
		return NULL;
	if (head.length > stream->longest) {
		errno = EMSGSIZE;
		return NULL;
	}
	tail = strlen(row->tail);
	if (stream_have(stream, head.size + head.length + tail) != 1)
		return NULL;
	view = stream->input.buffer + stream->input.start + head.size;
	if (memcmp(view + head.length, row->tail, tail) != 0) {
		errno = EPROTO;
		return NULL;
	}
	DCHECK(stream_has(stream, head.size + head.length + tail));
	stream_consume(stream, head.size);
	view = stream_view(stream, head.length);
	stream_consume(stream, tail);
	if (length != NULL)
		*length = head.length;
	return view;
}

/* A line says by its newline where it ends, so it has none in it. */
static int
write_line(struct hub_stream *stream, const void *bytes, size_t length)
{
	struct iovec parts[] = {{(void *)(uintptr_t)bytes, length}, {(void *)(uintptr_t) "\n", 1}};

	/* A reader drops a carriage return before the newline. */
	if (length > 0 &&
		(memchr(bytes, '\n', length) != NULL || ((const char *)bytes)[length - 1] == '\r'))
		return failed(EINVAL);
	return stream_write_whole(stream, parts, 2);
}

int
hub_stream_write_frame(
	struct hub_stream *stream, enum hub_frame kind, const void *bytes, size_t length)
{
	unsigned char head[HEAD_MOST + 1];
	struct iovec parts[STREAM_PARTS] = {{head, 0}, {(void *)(uintptr_t)bytes, length}};

	if (kind == HUB_FRAME_LINE)
		return write_line(stream, bytes, length);
	if (kind >= HUB_FRAME_MAX)
		return failed(EINVAL);
	if (length > kinds[kind].most)
		return failed(EMSGSIZE);
	parts[0].iov_len = kinds[kind].write(&kinds[kind], head, length);
	parts[2] = (struct iovec){(void *)(uintptr_t)kinds[kind].tail, strlen(kinds[kind].tail)};
	return stream_write_whole(stream, parts, STREAM_PARTS);
}
