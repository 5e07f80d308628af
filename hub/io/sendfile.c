/* hub_sendfile: a file's bytes to a socket. The kernel copies them; if the socket has a layer,
 * which the kernel would bypass, they are read and sent piece by piece. Both fds are held across
 * every switch: if one was closed meanwhile the call ends, whatever the fd refers to by then. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/file.h"
#include "hub/io/sigpipe_priv.h"
#include "hub/io/socket.h"
#include "hub/io/traffic_priv.h"
#include "hub/io/wait_priv.h"

#define PIECE ((size_t)16 * 1024)

/* sendfile(2) without SIGPIPE. Keeps errno. */
static ssize_t
send_quietly(int out, int in, off_t *offset, size_t count)
{
	struct sigpipe_guard guard;
	ssize_t sent;

	sigpipe_block(&guard);
	sent = kernel_sendfile(out, in, offset, count);
	/* A part may have been sent before the peer's end was found. */
	sigpipe_unblock(&guard, sent < 0 ? errno == EPIPE : (size_t)sent < count);
	return sent;
}

/* One piece of a file for a descriptor with a layer. Returns how much of it was sent, 0 at the
 * file's end, or -1. */
static ssize_t
send_piece(const struct fd_hold *out, const struct fd_hold *in, off_t *offset, char *buffer,
	size_t length, bool *is_whole)
{
	int from = in->entry->read.fd, error;
	ssize_t got = offset != NULL ? hub_pread(from, buffer, length, *offset)
				     : hub_read(from, buffer, length);
	ssize_t sent = -1;

	*is_whole = false;
	if (got <= 0)
		return got;
	/* Reading may have switched. */
	errno = EBADF;
	if (fd_is_kept(out))
		sent = hub_send(out->entry->read.fd, buffer, (size_t)got, 0);
	DCHECK(sent <= got);
	*is_whole = sent == got;
	if (sent > 0 && offset != NULL)
		*offset += sent;
	/* Bytes that were read and not sent must be read again by the next call. */
	error = errno;
	if (sent < got && offset == NULL && fd_is_kept(in))
		kernel_lseek(from, (sent > 0 ? sent : 0) - got, SEEK_CUR);
	errno = error;
	return sent;
}

/* Sends count bytes of a file to a descriptor with a layer. */
static ssize_t
send_by_layer(const struct fd_hold *out, const struct fd_hold *in, off_t *offset, size_t count)
{
	char *buffer = malloc(PIECE);
	size_t done = 0;
	ssize_t sent = buffer == NULL ? -1 : 0;
	bool is_whole = buffer != NULL;
	int error = errno;

	while (is_whole && done < count) {
		size_t piece = count - done < PIECE ? count - done : PIECE;

		sent = -1;
		error = EBADF;
		if (!fd_is_kept(out) || !fd_is_kept(in))
			break;
		sent = send_piece(out, in, offset, buffer, piece, &is_whole);
		error = errno;
		done += sent > 0 ? (size_t)sent : 0;
	}
	DCHECK(done <= count);
	free(buffer);
	errno = error;
	return done > 0 || sent >= 0 ? (ssize_t)done : -1;
}

/* Calls sendfile(2) without waiting; a shared descriptor is non-blocking only for that moment. */
static ssize_t
send_now(const struct fd_hold *to, const struct fd_hold *from, off_t *offset, size_t count)
{
	int out = to->entry->read.fd, in = from->entry->read.fd, flags;
	bool is_shared = fd_is_shared(to->entry) && !to->entry->is_file;
	ssize_t sent = -1;

	if ((!from->entry->is_file && fd_keep_from_blocking(in) != 0) ||
		(!is_shared && fd_keep_from_blocking(out) != 0))
		return -1;
	flags = is_shared ? fd_moment_begin(out) : 0;
	if (flags != -1)
		sent = send_quietly(out, in, offset, count);
	if (is_shared)
		fd_moment_end(out, flags);
	return sent;
}

ssize_t
hub_sendfile(int out, int in, off_t *offset, size_t count)
{
	struct hub_coroutine *self = hub_enter();
	struct fd_hold to, from;
	size_t done = 0;
	bool was_known, may_have_switched = false;

	if (self == NULL)
		return hub_fail_in_turn();
	was_known = fd_known(in) != NULL;
	to = fd_hold(fd_lookup(self->hub, out));
	from = fd_hold(fd_lookup(self->hub, in));
	if (to.entry == NULL || from.entry == NULL)
		return -1;
	/* A file that was opened for this call has just been asked who it is. */
	if (!fd_renew(to.entry) || (was_known && !fd_renew(from.entry)))
		return -1;
	to = fd_hold(to.entry);
	from = fd_hold(from.entry);
	if (to.entry->layer != NULL && from.entry->is_file)
		return send_by_layer(&to, &from, offset, count);
	if (to.entry->layer != NULL)
		return failed(EINVAL);
	while (done < count) {
		ssize_t sent = -1;

		/* One of the two was closed while the call waited for the socket. */
		errno = EBADF;
		if (!may_have_switched || (fd_is_kept(&from) && fd_is_held(&to)))
			sent = send_now(&to, &from, offset, count - done);
		may_have_switched = true;
		if (sent == 0)
			break;
		if (sent > 0) {
			fd_note_sent(hub_this, to.entry);
			fd_count_sent(hub_this, to.entry, (size_t)sent);
			fd_carry_out(to.entry, (size_t)sent);
			done += (size_t)sent;
			DCHECK(done <= count);
			if (!fd_take_turns(to.entry))
				break;
			continue;
		}
		if (errno == EINTR)
			continue;
		fd_note_failure(to.entry);
		if (errno == EAGAIN && fd_wait_write(to.entry, "sendfile") == 0)
			continue;
		if (done > 0)
			fd_leave_error(to.entry);
		return done > 0 ? (ssize_t)done : -1;
	}
	return (ssize_t)done;
}
