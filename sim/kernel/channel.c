/* Segments are delivered in the order in which they were sent, each not before the one before it. A
 * segment of no bytes is the end. While one is on its way it holds a reference to its channel. */
#include "sim/kernel/channel_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "sim/kernel/cargo_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

#define AGAIN (100 * CLOCK_MILLISECOND)
#define DOUBLED_MOST 10U
#define TRIES_MOST 16U

struct segment {
	struct segment *next;
	size_t length;
	size_t size; /* of bytes */
	int64_t at;
	unsigned char bytes[];
};

/* Cargo belongs to the bytes of one write: it comes with the first of them that is read. */
struct load {
	struct load *next;
	uint64_t at; /* of the first byte, counted from the first one ever */
	size_t length;
	struct cargo *cargo; /* owned */
};

struct channel *
channel_new(size_t size, bool is_slow)
{
	struct channel *channel = calloc(1, sizeof *channel);

	if (channel == NULL)
		return NULL;
	channel->bytes = malloc(size);
	if (channel->bytes == NULL) {
		free(channel);
		return NULL;
	}
	channel->references = 1;
	channel->size = channel->capacity = size;
	channel->sent_at = channel->came_at = world_now();
	channel->is_slow = is_slow;
	return channel;
}

static void
drop_loads(struct channel *channel)
{
	struct load *load;

	while ((load = channel->loads) != NULL) {
		channel->loads = load->next;
		cargo_drop(load->cargo);
		free(load);
	}
}

void
channel_release(struct channel *channel)
{
	if (channel == NULL || --channel->references != 0)
		return;
	DCHECK(channel->head == NULL);
	drop_loads(channel);
	free(channel->spare);
	free(channel->bytes);
	free(channel);
}

void
channel_limit(struct channel *channel, size_t capacity)
{
	channel->capacity = capacity < channel->size ? capacity : channel->size;
}

/* ---- the ring ---- */

/* Where the byte lies that is so many behind the first. */
static inline size_t
place_of(const struct channel *channel, size_t behind)
{
	size_t at = channel->first + behind;

	return at < channel->size ? at : at - channel->size;
}

static void
put(struct channel *channel, const unsigned char *bytes, size_t length)
{
	size_t at = place_of(channel, channel->length), left = channel->size - at;

	DCHECK(channel->length + length <= channel->size);
	if (left >= length) {
		memcpy(channel->bytes + at, bytes, length);
	} else {
		memcpy(channel->bytes + at, bytes, left);
		memcpy(channel->bytes, bytes + left, length - left);
	}
	channel->length += length;
}

/* Copies so many bytes, from the one on that is so many behind the first. */
static inline void
get(const struct channel *channel, size_t behind, unsigned char *bytes, size_t length)
{
	size_t at = place_of(channel, behind), left = channel->size - at;

	if (left >= length) {
		memcpy(bytes, channel->bytes + at, length);
	} else {
		memcpy(bytes, channel->bytes + at, left);
		memcpy(bytes + left, channel->bytes, length - left);
	}
}

size_t
channel_read(struct channel *channel, const struct iovec *parts, size_t most, bool is_peek)
{
	size_t length = most < channel->length ? most : channel->length;
	bool was_full = channel_room(channel) < PIPE_BUF;

	for (size_t done = 0; done < length; parts++) {
		size_t part = parts->iov_len < length - done ? parts->iov_len : length - done;

		get(channel, done, parts->iov_base, part);
		done += part;
	}
	if (is_peek)
		return length;
	channel->first = place_of(channel, length);
	channel->length -= length;
	channel->taken += length;
	/* A writer of a pipe waits for so much room. */
	if (was_full && length != 0 && channel->writer != NULL)
		file_changed(channel->writer);
	return length;
}

/* ---- cargo ---- */

void
channel_load(struct channel *channel, size_t length, struct cargo *cargo)
{
	struct load *load = malloc(sizeof *load), **last = &channel->loads;

	CHECK_WHY(load != NULL, "no memory for a simulated world");
	*load = (struct load){NULL, channel->taken + channel->length - length, length, cargo};
	while (*last != NULL)
		last = &(*last)->next;
	*last = load;
}

size_t
channel_stretch(const struct channel *channel, size_t most)
{
	const struct load *load = channel->loads;
	uint64_t stretch = load != NULL ? load->at + load->length - channel->taken : most;

	return stretch < most ? (size_t)stretch : most;
}

struct cargo *
channel_unload(struct channel *channel, size_t length, bool is_peek)
{
	struct load *load = channel->loads;
	struct cargo *cargo;

	if (load == NULL || load->at >= channel->taken + length)
		return NULL;
	if (is_peek)
		return cargo_copy(load->cargo);
	cargo = load->cargo;
	channel->loads = load->next;
	free(load);
	return cargo;
}

/* ---- on the way ---- */

static void
arrive(struct channel *channel, const struct segment *segment)
{
	channel->on_way -= segment->length;
	if (channel->is_cut) {
		if (channel->writer != NULL && channel->refused != NULL && segment->length != 0)
			channel->refused(channel->writer);
		/* There is room again, for what nobody reads. */
		if (channel->writer != NULL)
			file_changed(channel->writer);
		return;
	}
	if (segment->length == 0) {
		channel->has_ended = true;
	} else {
		put(channel, segment->bytes, segment->length);
		channel->came_at = world_now();
	}
	if (channel->reader != NULL)
		file_changed(channel->reader);
}

/* Nothing has got through for some twelve minutes. */
static void
give_up(struct channel *channel)
{
	channel_cut(channel);
	if (channel->writer != NULL && channel->lost != NULL)
		channel->lost(channel->writer);
}

/* Whether the first segment is lost, or the answer that nobody reads it. */
static bool
is_lost(const struct channel *channel)
{
	bool is_answered = channel->is_cut && channel->writer != NULL && channel->head->length != 0;

	if (channel->is_cut && !is_answered)
		return false;
	return host_is_cut(channel->from, channel->to) ||
	       (is_answered && host_is_cut(channel->to, channel->from));
}

/* What is lost is sent again, later each time, as in Linux (tcp_retries2). */
static void
deliver(void *object)
{
	struct channel *channel = object;
	struct segment *segment = channel->head;

	if (is_lost(channel)) {
		if (++channel->tries < TRIES_MOST) {
			world_after(AGAIN << (channel->tries < DOUBLED_MOST ? channel->tries
									    : DOUBLED_MOST),
				deliver, channel);
			return;
		}
		give_up(channel);
	}
	channel->tries = 0;
	channel->head = segment->next;
	if (channel->head == NULL)
		channel->tail = NULL;
	arrive(channel, segment);
	if (channel->spare != NULL)
		free(channel->spare);
	channel->spare = segment;
	channel_release(channel);
}

/* Sends a segment after the last one. */
static void
send_segment(struct channel *channel, struct segment *segment)
{
	int64_t delay = 0;

	if (channel->is_slow)
		delay = 1 + (int64_t)world_draw((uint64_t)world_options()->delay);
	segment->next = NULL;
	segment->at = world_now() + delay;
	if (channel->tail != NULL && channel->tail->at > segment->at)
		segment->at = channel->tail->at;
	if (channel->tail != NULL)
		channel->tail->next = segment;
	else
		channel->head = segment;
	channel->tail = segment;
	channel->on_way += segment->length;
	channel->references++;
	if (channel->is_slow)
		world_after(segment->at - world_now(), deliver, channel);
	else
		deliver(channel);
}

/* The last one that has arrived is used again. */
static struct segment *
segment_new(struct channel *channel, size_t length)
{
	struct segment *segment = channel->spare;

	if (segment != NULL && segment->size >= length) {
		channel->spare = NULL;
	} else {
		segment = malloc(sizeof *segment + length);
		CHECK_WHY(segment != NULL, "no memory for a simulated world");
		segment->size = length;
	}
	segment->length = length;
	return segment;
}

size_t
channel_write(struct channel *channel, const struct iovec *parts, size_t most)
{
	size_t room = channel_room(channel), length = most < room ? most : room;
	struct segment *segment;

	if (length == 0)
		return 0;
	segment = segment_new(channel, length);
	for (size_t done = 0; done < length; parts++) {
		size_t part = parts->iov_len < length - done ? parts->iov_len : length - done;

		memcpy(segment->bytes + done, parts->iov_base, part);
		done += part;
	}
	channel->sent_at = world_now();
	send_segment(channel, segment);
	return length;
}

void
channel_end(struct channel *channel)
{
	if (channel->is_ending)
		return;
	channel->is_ending = true;
	send_segment(channel, segment_new(channel, 0));
}

void
channel_cut(struct channel *channel)
{
	channel->is_cut = true;
	if (channel->reader == NULL) {
		channel->length = 0;
		drop_loads(channel);
	}
	if (channel->writer != NULL)
		file_changed(channel->writer);
}
