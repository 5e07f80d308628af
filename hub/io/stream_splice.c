/* Copying from socket to socket by the kernel, through a pipe. Neither the pipe nor bytes in it
 * outlive a switch: what the other socket does not take at once is read back into the stream's
 * buffer, so a kill, a timeout or a close finds nothing on its way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/sigpipe_priv.h"
#include "hub/io/stream_priv.h"
#include "hub/io/traffic_priv.h"

#define PIECE ((size_t)64 * 1024) /* what a pipe holds */
#define PIECES 8                  /* until other coroutines may run */

static bool
is_plain(const struct hub_fd *entry)
{
	return entry != NULL && entry->is_stream && entry->is_socket && entry->layer == NULL &&
	       !fd_is_shared(entry);
}

/* Moves what is there, at most length bytes, without waiting. Returns as splice(2). */
static ssize_t
move(int in, int out, size_t length)
{
	ssize_t moved;

	do
		moved = kernel_splice(
			in, NULL, out, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	return moved;
}

/* The kernel has failed to move bytes, which the call does not tell. */
static void
note_loss(struct hub_fd *entry)
{
	fd_note_failure(entry);
	fd_leave_error(entry);
}

/* What is left in the pipe becomes what the stream holds, in a buffer of PIECE + 1 bytes. */
static void
hold(struct hub_stream *stream, int pipe, char *buffer, size_t length)
{
	struct stream_input *input = &stream->input;

	DCHECK(length <= PIECE);
	stream_drop_buffer(stream);
	*input = (struct stream_input){
		.buffer = buffer, .size = PIECE, .end = length, .is_read = input->is_read};
	for (size_t done = 0; done < length;) {
		struct iovec part = {buffer + done, length - done};
		ssize_t got = kernel_readv(pipe, &part, 1);

		CHECK(got > 0 || (got < 0 && errno == EINTR));
		done += got > 0 ? (size_t)got : 0;
	}
}

/* Moves pieces as long as both sockets are ready. Sets *buffer to NULL if the stream has it now.
 * Returns as stream_splice. */
static ssize_t
move_pieces(
	struct hub_stream *from, struct hub_stream *to, size_t length, int ends[2], char **buffer)
{
	struct hub_fd *source = stream_entry(from), *target = stream_entry(to);
	size_t done = 0;

	DCHECK(source != NULL && target != NULL && length > 0);
	for (int i = 0; i < PIECES && done < length && *buffer != NULL; i++) {
		ssize_t got =
			move(from->fd, ends[1], length - done < PIECE ? length - done : PIECE);
		ssize_t sent;

		if (got < 0)
			note_loss(source);
		if (got <= 0)
			return done > 0 || (got < 0 && errno == EAGAIN) ? (ssize_t)done
									: failed(EINVAL);
		fd_note_received(hub_this, source);
		fd_count_received(hub_this, source, (size_t)got);
		fd_carry_in(source, (size_t)got);
		sent = move(ends[0], to->fd, (size_t)got);
		if (sent < 0)
			note_loss(target);
		DCHECK(sent <= got);
		if (sent < got) {
			hold(from, ends[0], *buffer, (size_t)(got - (sent > 0 ? sent : 0)));
			*buffer = NULL;
		}
		if (sent <= 0)
			break;
		fd_note_sent(hub_this, target);
		fd_count_sent(hub_this, target, (size_t)sent);
		fd_carry_out(target, (size_t)sent);
		done += (size_t)sent;
	}
	DCHECK(done <= length);
	return (ssize_t)done;
}

ssize_t
stream_splice(struct hub_stream *from, struct hub_stream *to, size_t length)
{
	struct sigpipe_guard guard;
	ssize_t moved;
	char *buffer;
	int ends[2];

	DCHECK(!stream_has(from, 1) && to->output.start == to->output.end);
	if (!is_plain(stream_entry(from)) || !is_plain(stream_entry(to)) ||
		fd_keep_from_blocking(from->fd) != 0 || fd_keep_from_blocking(to->fd) != 0)
		return failed(EINVAL);
	buffer = malloc(PIECE + 1);
	if (buffer == NULL || kernel_pipe2(ends, O_CLOEXEC) != 0) {
		free(buffer);
		return failed(EINVAL);
	}
	sigpipe_block(&guard);
	moved = move_pieces(from, to, length, ends, &buffer);
	sigpipe_unblock(&guard, buffer == NULL);
	kernel_close(ends[0]);
	kernel_close(ends[1]);
	free(buffer);
	return moved;
}
