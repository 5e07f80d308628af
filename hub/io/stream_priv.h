/* The record of a stream, and what its parts share: stream.c is its input's buffer, and
 * stream_read.c and stream_frame.c what is read from that; stream_write.c its output; stream_over.c
 * what it is over, and its life; stream_copy.c and stream_splice.c go from one to another. */
#ifndef HUBBUB_IO_STREAM_PRIV_H
#define HUBBUB_IO_STREAM_PRIV_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "hub/io/entry_priv.h"
#include "hub/io/stream.h"
#include "hub/scheduler_priv.h"
#include "hub/sync/lock.h"

/* What a stream is over: a descriptor, or memory. */
struct stream_kind {
	/* Receives at least a byte, of at most length, at room; room NULL: into a buffer that the
	 * stream has from then on. Returns the bytes, 0 at the end, or -1 and errno. Switches. */
	ssize_t (*receive)(struct hub_stream *stream, char *room, size_t length);
	/* Sends all parts, if it is not interrupted. Returns as hub_writev. Switches. */
	ssize_t (*send)(struct hub_stream *stream, const struct iovec *parts, int count);
};

/* An errno that no call returns. */
#define STREAM_STILL_UNSENT ERESTART

struct stream_input {
	char *buffer; /* NULL while it holds nothing; size + 1 bytes */
	size_t size;
	size_t start, end; /* of the bytes that have come and were not read */
	size_t searched;   /* bytes from start on in which no delimiter begins */
	/* The byte whose place the NUL behind the last view has taken; NULL for none. */
	char *stop;
	char stopped;
	bool is_read; /* a coroutine waits for bytes */
	bool is_bulk; /* a copy has found more than a buffer takes: what comes next is spliced */
};

struct stream_output {
	char *buffer; /* NULL while it holds nothing */
	size_t size;
	size_t start, end;    /* of the bytes that were not sent */
	struct hub_lock turn; /* of the coroutine that sends: the others' bytes come after its */
	/* Readers that wait for input while whose turn it is sends what is held. If that fails they
	 * are woken with STREAM_STILL_UNSENT, to send it. */
	struct hub_waiter *due;
	bool is_corked;
	size_t most;  /* bytes over memory; 0: any number */
	bool is_over; /* they were passed */
};

struct hub_stream {
	const struct stream_kind *kind;
	struct hub *hub;
	struct stream_input input;
	struct stream_output output;
	size_t longest;
	struct hub_stream *copied_to; /* while it is copied: what is held there is sent, too */
	int fd;                       /* -1 over memory */
	fd_generation generation;     /* of the open file that the stream is over */
	const char *memory;           /* the rest of it */
	size_t memory_left;
	char nothing; /* what an empty view shows */
};

static inline size_t
stream_held(const struct hub_stream *stream)
{
	return stream->input.end - stream->input.start;
}

static inline bool
stream_has(const struct hub_stream *stream, size_t count)
{
	return stream_held(stream) >= count;
}

/* Gives a buffer back, which is the hub's if it has that size, and sets the pointer to NULL. */
void stream_give_back(struct hub_stream *stream, char **buffer, size_t size);

/* The input's buffer, which holds nothing, is given back. */
void stream_drop_buffer(struct hub_stream *stream);

/* Begins each reading call: the last view ends. Returns false with errno EBUSY, or as
 * stream_enter. */
bool stream_begin_read(struct hub_stream *stream);

/* Receives more bytes behind those that are held, of which there may be `most` then. Returns 1, 0
 * at the end, or -1 with errno ENOMEM, EMSGSIZE (most are held), or of receiving or sending. */
int stream_fill(struct hub_stream *stream, size_t most);

/* Fills the stream until it holds count bytes. Returns 1; 0 with errno 0 at the end, if nothing is
 * held, or EBADMSG; or -1 and errno as stream_fill. */
int stream_have(struct hub_stream *stream, size_t count);

/* The end of the input, in a call that needs more: sets errno to 0 if nothing is held, or
 * EBADMSG. */
void stream_say_end(const struct hub_stream *stream);

/* Consumes count bytes, which are held. */
void stream_consume(struct hub_stream *stream, size_t count);

/* Consumes count bytes, which are held, and puts a NUL behind them. Returns them. */
char *stream_view(struct hub_stream *stream, size_t count);

/* Writes all parts, at most STREAM_PARTS, with nothing in between. Returns the bytes that were
 * taken, or -1 and errno. Switches. */
#define STREAM_PARTS 3
ssize_t stream_write_parts(struct hub_stream *stream, const struct iovec *parts, int count);

/* Writes bytes and sends them, behind what is held; over memory they are held. Returns how many
 * were taken, of which none is left unsent, or -1 and errno. Switches. */
ssize_t stream_write_now(struct hub_stream *stream, const void *bytes, size_t length);

/* stream_write_parts, where a part of them is a failure. Returns 0, or -1 and errno. */
int stream_write_whole(struct hub_stream *stream, const struct iovec *parts, int count);

/* Sends what is held, after hub_enter; the caller may own the turn. Returns 0, or -1 and errno. */
int stream_send(struct hub_stream *stream);

/* Whether a reader that is about to wait sends what is held. */
static inline bool
stream_is_unsent(const struct hub_stream *stream)
{
	return stream->kind->send != NULL && stream->output.start < stream->output.end &&
	       !stream->output.is_corked;
}

/* hub_enter for a call on a stream. Where that fails the others run first, as hub_fail_in_turn
 * says; not over memory, where no call switches. Returns false with errno. */
static inline bool
stream_enter(const struct hub_stream *stream)
{
	if (__builtin_expect(hub_enter() != NULL, 1))
		return true;
	if (stream->kind->send != NULL)
		hub_fail_in_turn();
	return false;
}

/* Moves what one socket has to another, at most length bytes, by the kernel, without waiting; the
 * caller owns both directions, and neither stream holds anything there. What the other does not
 * take, `from` holds then. Returns how many bytes were sent; 0 if nothing was there, or nothing of
 * it was sent; or -1 with errno EINVAL if the kernel cannot, or the input has ended or failed. */
ssize_t stream_splice(struct hub_stream *from, struct hub_stream *to, size_t length);

/* Waits for the coroutine's turn to send, and ends it. A turn in a turn is one. Returns 0, or -1
 * and errno as hub_lock_acquire; stream_end_turn keeps errno. */
int stream_begin_turn(struct hub_stream *stream);
void stream_end_turn(struct hub_stream *stream);

/* errno is that of a call that returns a part, so the next call must not find the end of the
 * stream instead (fd_leave_error). Keeps errno. */
void stream_leave_error(const struct hub_stream *stream);

/* Whoever goes on with the stream's descriptor has no part of a request from it (fd_note_part). */
void stream_end_part(const struct hub_stream *stream);

/* The entry of the stream's descriptor. NULL with errno EBADF if it is another open file by now. */
struct hub_fd *stream_entry(const struct hub_stream *stream);

#endif
