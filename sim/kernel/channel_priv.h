/* A channel: bytes in one direction, from a writer to a reader, in order. Bytes that are on their
 * way take room, too. The two ends hold a reference each. */
#ifndef HUBBUB_SIM_CHANNEL_PRIV_H
#define HUBBUB_SIM_CHANNEL_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct cargo;
struct file;
struct host;
struct load;
struct segment;

struct channel {
	unsigned references;
	struct file *reader; /* not owned; NULL once its last descriptor is closed */
	struct file *writer; /* likewise */
	const struct host *from, *to;
	void (*lost)(struct file *writer); /* no packet has arrived for long; NULL: nobody asks */
	void (*refused)(struct file *writer); /* nobody reads what has arrived; NULL: nobody asks */
	unsigned tries;                       /* of the first segment */
	unsigned char *bytes;                 /* a ring of that size; owned */
	size_t size, first, length;
	size_t capacity;             /* up to which it is filled */
	size_t on_way;               /* bytes of segments */
	int64_t sent_at, came_at;    /* when bytes last left, and arrived; at first the beginning */
	struct segment *head, *tail; /* on their way, in order; owned */
	struct segment *spare;       /* NULL: none; owned */
	uint64_t taken;              /* bytes that were read, ever */
	struct load *loads;          /* cargo of bytes, in order; owned */
	bool is_slow;                /* bytes take time */
	bool is_ending;              /* the writer has ended it; nothing can be written */
	bool has_ended;              /* the end has arrived behind the bytes */
	bool is_cut;                 /* nothing arrives any more */
};

/* NULL without memory. */
struct channel *channel_new(size_t size, bool is_slow);
void channel_release(struct channel *channel);

/* The channel takes no more bytes than that, and never more than its size. */
void channel_limit(struct channel *channel, size_t capacity);

/* How many bytes a write takes now. */
static inline size_t
channel_room(const struct channel *channel)
{
	size_t taken = channel->length + channel->on_way;

	return channel->capacity > taken ? channel->capacity - taken : 0;
}

/* Takes up to that many bytes of the parts, which have as many, or gives them; returns how many. */
size_t channel_write(struct channel *channel, const struct iovec *parts, size_t most);
size_t channel_read(struct channel *channel, const struct iovec *parts, size_t most, bool is_peek);

/* The last bytes, so many, which have arrived, bring that cargo. */
void channel_load(struct channel *channel, size_t length, struct cargo *cargo);

/* How many of most bytes one read may take: none behind those that bring cargo. */
size_t channel_stretch(const struct channel *channel, size_t most);

/* The cargo of the first of the next so many bytes, or a copy of it; NULL: they bring none. */
struct cargo *channel_unload(struct channel *channel, size_t length, bool is_peek);

/* The writer ends the stream: the end arrives behind all bytes. */
void channel_end(struct channel *channel);

/* The connection is broken, or the reader is gone: what is on its way is lost, and without a reader
 * what has arrived, too. */
void channel_cut(struct channel *channel);

#endif
