/* How connections come about. TCP takes time: a SYN reaches the listener after a delay, and its
 * answer comes back after another one; a full queue drops it, and it is sent again. Unix sockets
 * are connected at once, or not. */
#include "sim/kernel/stream_connect_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/scheduler.h"
#include "sim/kernel/errnos_priv.h"
#include "sim/kernel/port_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

#define TCP_SIZE ((size_t)64 * 1024)
#define TCP_SIZE_GROWN ((size_t)4 * 1024 * 1024) /* of net.ipv4.tcp_wmem, the most */
#define GROWN 8                                  /* once in so many connections */
#define UNIX_SIZE ((size_t)208 * 1024)           /* net.core.wmem_default */
#define SYN_AGAIN (1 * HUB_SECOND)
#define SYN_TRIES 6

struct file *
stream_make(const struct file_kind *kind, int family)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (stream == NULL)
		return NULL;
	file_init(&stream->file, kind, family);
	stream->own.family = stream->peer_name.family = family;
	return &stream->file;
}

/* The bytes that are on their way at most. The kernel lets the buffers of a fast connection
 * grow. */
static size_t
draw_size(const struct stream *stream)
{
	if (!stream_is_tcp(stream))
		return UNIX_SIZE;
	return world_draw(GROWN) == 0 ? TCP_SIZE_GROWN : TCP_SIZE;
}

static bool
join(struct stream *one, struct stream *other)
{
	size_t size = draw_size(one);
	struct channel *there = channel_new(size, stream_is_tcp(one));
	struct channel *back = channel_new(size, stream_is_tcp(one));

	if (there == NULL || back == NULL) {
		channel_release(there);
		channel_release(back);
		return false;
	}
	if (one->send_buffer != 0)
		channel_limit(there, one->send_buffer);
	if (other->send_buffer != 0)
		channel_limit(back, other->send_buffer);
	there->references = back->references = 2;
	there->writer = back->reader = &one->file;
	back->writer = there->reader = &other->file;
	one->out = other->in = there;
	one->in = other->out = back;
	one->peer = other;
	other->peer = one;
	one->state = other->state = STREAM_CONNECTED;
	return true;
}

bool
stream_join(struct file *one, struct file *other)
{
	return join(stream_of(one), stream_of(other));
}

/* ---- listening ---- */

int
stream_listen(struct file *file, int backlog)
{
	struct stream *stream = stream_of(file);

	if (stream->state != STREAM_FRESH && stream->state != STREAM_LISTENING)
		return failed(EINVAL);
	if (!stream->is_bound && name_choose(&stream->own) != 0)
		return -1;
	if (stream->state == STREAM_FRESH && !name_listen(&stream->own, file))
		return failed(EADDRINUSE);
	stream->is_bound = true;
	stream->state = STREAM_LISTENING;
	stream->backlog = backlog < 1 ? 1 : backlog;
	return 0;
}

struct file *
stream_accept(struct file *file)
{
	struct stream *listener = stream_of(file), *client;

	if (listener->state != STREAM_LISTENING) {
		errno = EINVAL;
		return NULL;
	}
	if (listener->queued == 0) {
		errno = EAGAIN;
		return NULL;
	}
	client = listener->queue[0];
	memmove(listener->queue, listener->queue + 1,
		(size_t)--listener->queued * sizeof(struct stream *));
	if (listener->queued == 0) {
		free(listener->queue);
		listener->queue = NULL;
	}
	return &client->file;
}

void
stream_break(struct stream *stream, int error)
{
	if (stream->state != STREAM_CONNECTED || stream->is_reset)
		return;
	stream->is_reset = true;
	stream->error = error;
	channel_cut(stream->in);
	stream->in->has_ended = true;
	file_note_error(&stream->file, stream->file.fd, "is broken", error);
	file_changed(&stream->file);
}

static void
writer_lost(struct file *file)
{
	stream_break(stream_of(file), ETIMEDOUT);
}

static void
writer_refused(struct file *file)
{
	stream_break(stream_of(file), ECONNRESET);
}

/* The listener's end of a connection, in its queue. NULL if there is no room. */
static struct stream *
enqueue(struct stream *listener, struct stream *client)
{
	struct file *file;
	struct stream *end, **queue;

	/* As Linux: one more than the backlog. */
	if (listener->queued > listener->backlog)
		return NULL;
	queue = realloc(listener->queue, (size_t)(listener->queued + 1) * sizeof *queue);
	if (queue == NULL)
		return NULL;
	listener->queue = queue;
	file = stream_make(listener->file.kind, listener->file.family);
	if (file == NULL)
		return NULL;
	end = stream_of(file);
	if (!join(client, end)) {
		file_release(file);
		return NULL;
	}
	if (stream_is_tcp(client)) {
		client->out->from = client->in->to = client->own.on;
		client->out->to = client->in->from = client->peer_name.on;
		client->out->lost = client->in->lost = writer_lost;
		if (client->out->from != client->out->to)
			client->out->refused = client->in->refused = writer_refused;
	}
	end->own = client->peer_name;
	end->peer_name = client->own;
	end->is_bound = true;
	listener->queue[listener->queued++] = end;
	file_changed(&listener->file);
	return end;
}

/* ---- connecting ---- */

static void
end_connect(struct stream *stream, int error)
{
	stream->state = STREAM_FRESH;
	stream->error = error;
	port_leave(stream->port, false);
	stream->port = NULL;
	file_note_error(&stream->file, stream->file.fd, "is not connected", error);
	file_changed(&stream->file);
}

/* The answer to the SYN is back. */
static void
syn_answered(void *object)
{
	struct stream *stream = object;

	if (stream->file.descriptors != 0 && host_is_cut(stream->peer_name.on, stream->own.on)) {
		if (++stream->tries < SYN_TRIES) {
			world_after(SYN_AGAIN << stream->tries, syn_answered, stream);
			return;
		}
		stream_break(stream, ETIMEDOUT);
	}
	stream->is_unanswered = false;
	file_changed(&stream->file);
	file_release(&stream->file);
}

static void
syn_arrives(void *object)
{
	struct stream *stream = object;
	struct file *listener = name_find(&stream->peer_name);
	bool is_lost;

	if (stream->file.descriptors == 0 || stream->state != STREAM_CONNECTING) {
		file_release(&stream->file);
		return;
	}
	is_lost = stream->peer_name.on != NULL && host_is_cut(stream->own.on, stream->peer_name.on);
	if (stream->refusal != 0) {
		end_connect(stream, stream->refusal);
	} else if (stream->peer_name.on == NULL) {
		end_connect(stream, EHOSTUNREACH);
	} else if (listener == NULL && !is_lost) {
		end_connect(stream, ECONNREFUSED);
	} else if (!is_lost && !listener->drops_syns &&
		   enqueue(stream_of(listener), stream) != NULL) {
		file_note(&stream->file, stream->file.fd, "is connected to the listener %ld",
			listener->fd, 0);
		stream->is_unanswered = true;
		world_after((int64_t)world_draw((uint64_t)world_options()->delay), syn_answered,
			stream);
		return;
	} else if (++stream->tries < SYN_TRIES) {
		world_after(SYN_AGAIN << stream->tries, syn_arrives, stream);
		return;
	} else {
		end_connect(stream, ETIMEDOUT);
	}
	file_release(&stream->file);
}

int
stream_connect(struct file *file, const struct sockaddr *address, socklen_t length)
{
	struct stream *stream = stream_of(file);
	struct file *listener;

	if (stream->state == STREAM_CONNECTING || stream->is_unanswered)
		return failed(EALREADY);
	if (stream->state != STREAM_FRESH)
		return failed(EISCONN);
	if (stream->error != 0)
		return failed(stream_take_error(stream));
	if (name_read(&stream->peer_name, file->family, address, length) != 0)
		return -1;
	if (stream_is_tcp(stream)) {
		if (name_place(&stream->own) != 0)
			return -1;
		name_settle(&stream->own, &stream->peer_name);
		stream->port = port_take(&stream->own, &stream->peer_name);
		if (stream->port == NULL)
			return -1;
		stream->is_bound = true;
		stream->state = STREAM_CONNECTING;
		stream->refusal = errnos_draw_for(ERRNOS_CONNECTED, ERRNOS_TCP);
		file_hold(file);
		world_after(
			(int64_t)world_draw((uint64_t)world_options()->delay), syn_arrives, stream);
		return failed(EINPROGRESS);
	}
	listener = name_find(&stream->peer_name);
	if (listener == NULL)
		return failed(ECONNREFUSED);
	return enqueue(stream_of(listener), stream) != NULL ? 0 : failed(EAGAIN);
}
