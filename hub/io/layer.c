/* The waiting around a layer: its own functions never switch, so the loops that receive, send and
 * flush are here. Bytes that a layer has kept are sent by its caller or by one flusher, a detached
 * coroutine that holds the fd, so a close meanwhile ends it. */
#include "hub/io/layer_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/coroutine.h"
#include "hub/io/fd_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/link.h"
#include "hub/scheduler_priv.h"

#define PIECE_MOST ((size_t)64 * 1024) /* then other coroutines run */

void
layer_attach(struct hub_fd *entry, struct hub_layer *layer)
{
	CHECK(entry->generation != 0 && entry->is_stream);
	CHECK(entry->layer == NULL && !layer->has_flusher);
	entry->layer = layer;
}

/* ---- what is kept ---- */

/* A coroutine that sends the bytes that a layer has kept, while no call on the descriptor does. */
struct flusher {
	struct hub_link link;
	struct fd_hold hold;
};

static void *
flush_kept(void *argument)
{
	struct flusher *flusher = argument;
	struct hub_fd *entry = flusher->hold.entry;

	while (fd_is_kept(&flusher->hold) && entry->layer->kind->flush(entry->layer) != 0 &&
		errno == EAGAIN && fd_wait_write(entry, "flush") == 0)
		continue;
	return NULL;
}

/* Called even if the coroutine was killed before it ever ran. */
static void
flusher_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct flusher *flusher = CONTAINER_OF(link, struct flusher, link);

	(void)coroutine;
	if (fd_is_held(&flusher->hold)) {
		CHECK(flusher->hold.entry->layer->has_flusher);
		flusher->hold.entry->layer->has_flusher = false;
	}
	free(flusher);
}

/* Whether nothing is kept that no coroutine sends. */
static bool
is_sent(const struct hub_layer *layer)
{
	return layer->has_flusher || !layer->kind->has_kept(layer);
}

/* Makes sure that a flusher sends what the layer has kept. Returns 0, or -1 and errno if there will
 * be none. */
static int
have_flushed(struct hub_fd *entry)
{
	struct hub_layer *layer = entry->layer;
	struct hub_coroutine *coroutine;
	struct flusher *flusher;

	if (is_sent(layer))
		return 0;
	flusher = malloc(sizeof *flusher);
	coroutine = flusher != NULL ? hub_spawn(flush_kept, flusher) : NULL;
	if (coroutine == NULL) {
		free(flusher);
		return -1;
	}
	*flusher = (struct flusher){{.ended = flusher_ended}, fd_hold(entry)};
	hub_set_name(coroutine, "flush");
	hub_link(coroutine, &flusher->link);
	hub_detach(coroutine);
	layer->has_flusher = true;
	return 0;
}

/* Sends all that the layer has kept. Returns 0, or -1 and errno. */
static int
wait_flushed(struct hub_fd *entry, const char *what)
{
	while (entry->layer->kind->flush(entry->layer) != 0)
		if (errno != EAGAIN || fd_wait_write(entry, what) != 0)
			return -1;
	DCHECK(!entry->layer->kind->has_kept(entry->layer));
	return 0;
}

/* ---- transfers ---- */

/* Receives into the first part that is not empty, as if it were the only one. */
static ssize_t
receive_now(struct hub_fd *entry, const struct iovec *parts, size_t count, int flags)
{
	ssize_t received;
	size_t i = 0;

	while (i < count && parts[i].iov_len == 0)
		i++;
	if (i == count)
		return 0;
	received = entry->layer->kind->receive(
		entry->layer, parts[i].iov_base, parts[i].iov_len, flags);
	DCHECK(received < 0 || (size_t)received <= parts[i].iov_len);
	return received;
}

ssize_t
layer_receive(
	struct hub_fd *entry, const struct iovec *parts, size_t count, int flags, const char *what)
{
	bool may_wait = !(flags & MSG_DONTWAIT);

	if (flags & MSG_OOB)
		return failed(EOPNOTSUPP);
	for (;;) {
		ssize_t received;
		int error;

		if (fd_is_drained(entry) && may_wait && !layer_has_input(entry) &&
			fd_wait_drained(entry, what) != 0)
			return -1;
		received = receive_now(entry, parts, count, flags);
		error = errno;
		/* The layer may have kept an answer of its own, such as a TLS alert. */
		if (have_flushed(entry) != 0 && received < 0)
			return -1;
		if (received >= 0) {
			/* Counts bytes, too, that the layer had before this call. */
			if (received > 0)
				fd_note_received(hub_this, entry);
			fd_count_received(hub_this, entry, (size_t)received);
			return received;
		}
		errno = error;
		if (error == EAGAIN && entry->input_has_ended)
			return 0;
		if (error != EAGAIN || !may_wait || fd_wait_read(entry, what) != 0)
			return -1;
	}
}

/* Sends one part. Returns the bytes that were taken, with errno if that is less than all. */
static size_t
send_part(struct hub_fd *entry, const struct iovec *part, bool may_wait, const char *what)
{
	const char *bytes = part->iov_base;
	fd_generation generation = entry->generation;
	size_t done = 0;

	while (done < part->iov_len) {
		size_t left = part->iov_len - done, piece = left < PIECE_MOST ? left : PIECE_MOST;
		ssize_t sent = entry->layer->kind->send(entry->layer, bytes + done, piece);

		if (sent >= 0) {
			/* With 0 the loop would not end. */
			DCHECK(sent > 0 && (size_t)sent <= piece);
			done += (size_t)sent;
			if (done < part->iov_len && may_wait &&
				(!fd_take_turns(entry) || entry->generation != generation))
				break;
		} else if (errno != EAGAIN || !may_wait || fd_wait_write(entry, what) != 0) {
			break;
		}
	}
	return done;
}

ssize_t
layer_send(
	struct hub_fd *entry, const struct iovec *parts, size_t count, int flags, const char *what)
{
	bool may_wait = !(flags & MSG_DONTWAIT);
	fd_generation generation = entry->generation;
	size_t done = 0;
	int error = 0;

	if (flags & MSG_OOB)
		return failed(EOPNOTSUPP);
	for (size_t i = 0; i < count && error == 0; i++) {
		size_t sent = send_part(entry, &parts[i], may_wait, what);

		done += sent;
		if (sent < parts[i].iov_len)
			error = errno;
	}
	fd_count_sent(hub_this, entry, done);
	/* The fd was closed during a wait, and the layer is gone. */
	if (entry->generation != generation) {
		errno = EBADF;
		return done > 0 ? (ssize_t)done : -1;
	}
	if (error == 0 && may_wait && wait_flushed(entry, what) != 0 && done == 0)
		error = errno;
	if (entry->generation == generation && have_flushed(entry) != 0 && error == 0)
		error = errno;
	/* Bytes that count as sent do not wait for the next call. */
	DCHECK(error != 0 || entry->generation != generation || is_sent(entry->layer));
	if (done > 0 || error == 0)
		return (ssize_t)done;
	return failed(error);
}

/* ---- ends ---- */

int
layer_end_output(struct hub_fd *entry, const char *what)
{
	if (entry->layer->kind->end_output(entry->layer) != 0)
		return failed(EPIPE);
	while (entry->layer->kind->flush(entry->layer) != 0) {
		if (errno != EAGAIN)
			return failed(EPIPE);
		if (fd_wait_write(entry, what) != 0)
			return -1;
	}
	return 0;
}
