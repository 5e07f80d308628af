/* Stream sockets: TCP and Unix. A connection is two channels, one in each direction.
 *
 * A TCP socket that is closed with bytes that were not read, or without lingering, resets the peer.
 * A write to a peer that is gone succeeds once, and its answer is a reset. A Unix socket knows all
 * that at once. */
#include "sim/kernel/stream_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "sim/kernel/port_priv.h"
#include "sim/kernel/stream_connect_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

#define SEND_BUFFER_LEAST 4608

/* ---- a connection ---- */

static void
reset_arrives(void *object)
{
	struct stream *stream = object;

	/* It is not sent again. */
	if (!host_is_cut(stream->peer_name.on, stream->own.on))
		stream_break(stream, ECONNRESET);
	file_release(&stream->file);
}

static void
reset_peer(struct stream *stream)
{
	struct stream *peer = stream->peer;

	if (peer == NULL)
		return;
	file_hold(&peer->file);
	if (stream_is_tcp(stream))
		world_after(
			(int64_t)world_draw((uint64_t)world_options()->delay), reset_arrives, peer);
	else
		reset_arrives(peer);
}

static void
stream_lose(struct file *file, int error)
{
	stream_break(stream_of(file), error);
	reset_peer(stream_of(file));
}

/* ---- reading and writing ---- */

static inline size_t
partly(size_t length)
{
	return length > 1 && world_chance(world_options()->partial) ? 1 + world_draw(length - 1)
								    : length;
}

/* Cargo is taken before the bytes that bring it. Returns how many of most bytes that are. */
static size_t
unload(struct stream *stream, struct transfer *transfer, size_t most)
{
	size_t stretch = channel_stretch(stream->in, most), length = stream->in->length;

	transfer->cargo = channel_unload(
		stream->in, stretch < length ? stretch : length, transfer->flags & MSG_PEEK);
	return stretch;
}

static ssize_t
stream_receive(struct file *file, struct transfer *transfer)
{
	struct stream *stream = stream_of(file);
	bool is_peek = transfer->flags & MSG_PEEK;
	size_t most, got;

	if (stream->state != STREAM_CONNECTED)
		return failed(ENOTCONN);
	if (stream->is_unanswered)
		return failed(EAGAIN);
	if (stream->in->length == 0 && stream->error != 0)
		return failed(stream_take_error(stream));
	if (transfer->length == 0)
		return 0;
	most = partly(transfer->length);
	if (stream->in->loads != NULL)
		most = unload(stream, transfer, most);
	got = channel_read(stream->in, transfer->parts, most, is_peek);
	if (got != 0 || stream->in->has_ended)
		return (ssize_t)got;
	return failed(EAGAIN);
}

static ssize_t
stream_send(struct file *file, struct transfer *transfer)
{
	struct stream *stream = stream_of(file);
	size_t sent;

	if (stream->state != STREAM_CONNECTED)
		return failed(ENOTCONN);
	if (stream->is_unanswered)
		return failed(EAGAIN);
	if (!stream_is_tcp(stream) && stream->out->is_cut)
		return failed(EPIPE);
	if (stream->error != 0)
		return failed(stream_take_error(stream));
	if (stream->out->is_ending || stream->is_reset)
		return failed(EPIPE);
	if (world_chance(world_options()->reset) && stream_is_tcp(stream)) {
		stream_break(stream, ECONNRESET);
		reset_peer(stream);
		return failed(stream_take_error(stream));
	}
	/* Nobody reads there, which the answer tells: at once, or when it comes from afar. */
	if (stream->out->is_cut && stream->out->refused == NULL) {
		size_t room = channel_room(stream->out);

		stream_break(stream, ECONNRESET);
		if (room == 0)
			return failed(stream_take_error(stream));
		return (ssize_t)(transfer->length < room ? transfer->length : room);
	}
	if (transfer->length == 0)
		return 0;
	if (channel_room(stream->out) == 0)
		return failed(EAGAIN);
	sent = channel_write(stream->out, transfer->parts, partly(transfer->length));
	if (transfer->cargo != NULL)
		channel_load(stream->out, sent, transfer->cargo);
	transfer->cargo = NULL;
	return (ssize_t)sent;
}

static short
stream_ready(const struct file *file)
{
	const struct stream *stream = (const struct stream *)(const void *)file;
	short events = stream->error != 0 ? POLLERR : 0;

	if (stream->state == STREAM_LISTENING)
		return stream->queued != 0 ? POLLIN : 0;
	if (stream->state == STREAM_FRESH)
		return POLLOUT | POLLHUP;
	if (stream->state == STREAM_CONNECTING || stream->is_unanswered)
		return 0;
	if (stream->in->length != 0 || stream->in->has_ended)
		events |= POLLIN;
	if (stream->in->has_ended)
		events |= POLLRDHUP;
	if (stream->is_reset || stream->out->is_ending || channel_room(stream->out) != 0)
		events |= POLLOUT;
	if (stream->is_reset || (stream->out->is_ending && stream->in->has_ended) ||
		(!stream_is_tcp(stream) && stream->out->is_cut))
		events |= POLLHUP;
	return events;
}

static void stream_close(struct file *file);

/* Who was not accepted is reset. */
static void
reset_queue(struct stream *listener)
{
	for (int i = 0; i < listener->queued; i++) {
		reset_peer(listener->queue[i]);
		stream_close(&listener->queue[i]->file);
		file_release(&listener->queue[i]->file);
	}
	free(listener->queue);
	listener->queue = NULL;
	listener->queued = 0;
}

static int
stream_shutdown(struct file *file, int how)
{
	struct stream *stream = stream_of(file);

	/* A TCP listener listens no more: it leaves its group. */
	if (stream->state == STREAM_LISTENING && how != SHUT_WR && stream_is_tcp(stream)) {
		name_unlisten(file);
		reset_queue(stream);
		stream->state = STREAM_FRESH;
		file_changed(file);
		return 0;
	}
	if (stream->state != STREAM_CONNECTED)
		return failed(ENOTCONN);
	if (how != SHUT_RD)
		channel_end(stream->out);
	if (how != SHUT_WR)
		stream->in->has_ended = true;
	file_changed(file);
	return 0;
}

/* ---- names ---- */

static int
stream_bind(struct file *file, const struct sockaddr *address, socklen_t length)
{
	struct stream *stream = stream_of(file);

	if (stream->is_bound)
		return failed(EINVAL);
	if (name_read(&stream->own, file->family, address, length) != 0)
		return -1;
	if (name_choose(&stream->own) != 0)
		return -1;
	stream->is_bound = true;
	return 0;
}

static int
stream_name(const struct file *file, bool is_peer, struct sockaddr *address, socklen_t *length)
{
	const struct stream *stream = (const struct stream *)(const void *)file;

	if (is_peer && stream->state != STREAM_CONNECTED)
		return failed(ENOTCONN);
	if (is_peer && stream->is_reset)
		return failed(ENOTCONN);
	name_write(is_peer ? &stream->peer_name : &stream->own, address, length);
	return 0;
}

/* ---- the end ---- */

static void
stream_close(struct file *file)
{
	struct stream *stream = stream_of(file);
	bool is_rude = file->linger.l_onoff && file->linger.l_linger == 0;

	if (stream->state == STREAM_LISTENING)
		name_unlisten(file);
	reset_queue(stream);
	port_leave(stream->port, stream->in != NULL && !stream->in->has_ended && !is_rude);
	stream->port = NULL;
	if (stream->in != NULL) {
		/* One that is broken has nothing more to say. */
		if (!stream->is_reset && (is_rude || stream->in->length != 0))
			reset_peer(stream);
		else if (!stream->is_reset)
			channel_end(stream->out);
		stream->in->reader = stream->out->writer = NULL;
		channel_cut(stream->in);
		channel_release(stream->in);
		channel_release(stream->out);
		stream->in = stream->out = NULL;
	}
	if (stream->peer != NULL)
		stream->peer->peer = NULL;
	stream->peer = NULL;
	stream->state = STREAM_FRESH;
}

/* As Linux counts: twice as many bytes, for what it needs itself. */
static void
stream_set_send_buffer(struct file *file, int size)
{
	struct stream *stream = stream_of(file);

	stream->send_buffer = size < SEND_BUFFER_LEAST / 2 ? SEND_BUFFER_LEAST : 2 * (size_t)size;
	if (stream->out != NULL)
		channel_limit(stream->out, stream->send_buffer);
}

static int
stream_error(struct file *file)
{
	return stream_take_error(stream_of(file));
}

static long
stream_waiting(const struct file *file)
{
	const struct stream *stream = (const struct stream *)(const void *)file;

	return stream->in != NULL ? (long)stream->in->length : 0;
}

static const struct file_kind stream_kind = {.what = "stream socket",
	.type = S_IFSOCK,
	.socket_type = SOCK_STREAM,
	.receive = stream_receive,
	.send = stream_send,
	.ready = stream_ready,
	.connect = stream_connect,
	.bind = stream_bind,
	.listen = stream_listen,
	.accept = stream_accept,
	.shutdown = stream_shutdown,
	.name = stream_name,
	.set_send_buffer = stream_set_send_buffer,
	.lose = stream_lose,
	.error = stream_error,
	.waiting = stream_waiting,
	.free = stream_close};

struct file *
stream_new(int family)
{
	return stream_make(&stream_kind, family);
}
