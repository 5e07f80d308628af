/* Copying from one stream to another. What is held goes first; the rest of a file goes to a socket
 * by the kernel, and so does what a socket has for another, once more has come than a buffer takes.
 * Everything else goes by way of the buffers, also a file that its file system cannot send, such as
 * many of /proc. */
#include <errno.h>

#include "hub/base/check.h"
#include "hub/io/buffers_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/io/file.h"
#include "hub/io/stream_priv.h"
#include "hub/io/wait_priv.h"

#define PIECE ((uint64_t)1 << 30) /* what sendfile(2) takes at once is less than 2 GiB */

/* Whether the kernel can copy the rest: of a file, to a socket. */
static bool
can_sendfile(const struct hub_stream *from, const struct hub_stream *to)
{
	const struct hub_fd *source = stream_entry(from), *target = stream_entry(to);

	return source != NULL && target != NULL && source->is_file && target->is_socket;
}

/* Sends a file, by the coroutine whose turn it is. Returns the bytes, less than count only at the
 * file's end or if interrupted after a part; or -1 and errno. The kernel tells the loss of a
 * connection once, so after a part it is left. */
static int64_t
send_file(struct hub_stream *from, struct hub_stream *to, uint64_t count)
{
	uint64_t done = 0;

	while (done < count) {
		uint64_t piece = count - done < PIECE ? count - done : PIECE;
		ssize_t sent = -1;

		if (stream_entry(from) != NULL && stream_entry(to) != NULL)
			sent = hub_sendfile(to->fd, from->fd, NULL, piece);
		if (sent < 0 && done > 0)
			stream_leave_error(to);
		if (sent <= 0)
			return done > 0 ? (int64_t)done : sent;
		done += (uint64_t)sent;
	}
	return (int64_t)done;
}

/* Sends what another socket has at once. Returns the bytes; 0 if there are none, or `from` holds
 * them now; or -1 with errno EINVAL (a receive is to say what there is) or another. */
static int64_t
send_input(struct hub_stream *from, struct hub_stream *to, uint64_t count)
{
	struct hub_fd *entry = stream_entry(from);

	/* Both may be ready without end, and a call moves much. */
	if (entry == NULL || !fd_take_turns(entry))
		return -1;
	return stream_splice(from, to, count < PIECE ? (size_t)count : PIECE);
}

/* Nobody reads from the one, which holds nothing, or writes to the other, meanwhile. */
static int64_t
copy_by_kernel(struct hub_stream *from, struct hub_stream *to, uint64_t count,
	int64_t way(struct hub_stream *from, struct hub_stream *to, uint64_t count))
{
	int64_t sent = -1;

	if (!stream_begin_read(from))
		return -1;
	stream_drop_buffer(from);
	from->input.is_read = true;
	if (stream_begin_turn(to) == 0) {
		if (stream_send(to) == 0)
			sent = way(from, to, count);
		stream_end_turn(to);
	}
	from->input.is_read = false;
	return sent;
}

/* Waits for input without receiving any, unless something is left unsent for which a peer may wait.
 * What else ends the wait the next receive meets, too. Returns whether input may be there. */
static bool
await_input(struct hub_stream *from, const struct hub_stream *to)
{
	struct hub_fd *entry = stream_entry(from);
	int result;

	if (entry == NULL || stream_is_unsent(from) || stream_is_unsent(to) ||
		fd_input_has_ended(entry))
		return false;
	fd_note_part(entry, false);
	from->input.is_read = true;
	result = fd_wait_read(entry, "splice");
	from->input.is_read = false;
	return result == 0;
}

/* Moves what comes in bulk. Returns as send_input. */
static int64_t
copy_bulk(struct hub_stream *from, struct hub_stream *to, uint64_t count)
{
	int64_t more = copy_by_kernel(from, to, count, send_input);

	if (more == 0 && stream_held(from) == 0 && await_input(from, to))
		more = copy_by_kernel(from, to, count, send_input);
	from->input.is_bulk = more >= (int64_t)BUFFER_SIZE || stream_held(from) > 0;
	return more == -1 && errno == EINVAL ? 0 : more;
}

/* Copies what is held, once something is. Only what is sent is taken. Returns the bytes, 0 at the
 * end, or -1, errno and the one that failed. */
static ssize_t
copy_held(struct hub_stream *from, struct hub_stream *to, uint64_t count,
	const struct hub_stream **failing)
{
	bool is_new = stream_held(from) == 0;
	ssize_t written;
	size_t held;
	char *bytes;

	from->copied_to = to;
	bytes = hub_stream_peek(from, 1, &held);
	from->copied_to = NULL;
	*failing = bytes == NULL ? from : to;
	if (bytes == NULL)
		return errno == 0 ? 0 : -1;
	if (is_new)
		from->input.is_bulk = held >= BUFFER_SIZE - 1;
	/* Nobody may take them meanwhile. */
	from->input.is_read = true;
	written = stream_write_now(to, bytes, held < count ? held : count);
	from->input.is_read = false;
	DCHECK(written <= (ssize_t)held);
	if (written > 0)
		stream_consume(from, (size_t)written);
	return written;
}

/* Returns as copy_held. */
static int64_t
copy_some(struct hub_stream *from, struct hub_stream *to, uint64_t count,
	const struct hub_stream **failing)
{
	bool is_by_kernel = stream_held(from) == 0 && from->fd != -1 && to->fd != -1;
	int64_t more = 0;

	*failing = to;
	if (is_by_kernel && can_sendfile(from, to)) {
		more = copy_by_kernel(from, to, count, send_file);
		return more == -1 && errno == EINVAL ? copy_held(from, to, count, failing) : more;
	}
	if (is_by_kernel && from->input.is_bulk)
		more = copy_bulk(from, to, count);
	return more != 0 ? more : copy_held(from, to, count, failing);
}

int64_t
hub_stream_copy(struct hub_stream *from, struct hub_stream *to, uint64_t count)
{
	const struct hub_stream *failing = to;
	uint64_t done = 0;
	int64_t more = 0;

	while (done < count && (more = copy_some(from, to, count - done, &failing)) > 0)
		done += (uint64_t)more;
	/* What was written before goes at an end, too. */
	if (more >= 0 && hub_stream_flush(to) != 0) {
		failing = to;
		more = -1;
	}
	if (more < 0 && done > 0)
		stream_leave_error(failing);
	return done > 0 ? (int64_t)done : more;
}
