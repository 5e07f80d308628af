/* A datagram is lost where there is no room for it, or nobody who receives; over a Unix socket its
 * sender waits for room. Over UDP it takes its own time, so datagrams overtake each other; trouble
 * loses one now and then, or sends it twice. Packets (SOCK_SEQPACKET) are datagrams of a pair that
 * has an end. */
#include "sim/kernel/datagram_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/failed.h"
#include "sim/kernel/cargo_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/name_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

#define ROOM ((size_t)208 * 1024)
#define LONGEST 65507

struct datagram {
	struct datagram *next;
	struct endpoint *to; /* a reference while it is on its way */
	struct name from;
	size_t length;
	struct cargo *cargo; /* owned; NULL: none */
	unsigned char bytes[];
};

struct endpoint {
	struct file file; /* must be first */
	struct name own, peer;
	bool is_bound, is_connected, has_ended;
	struct endpoint *pair; /* of socketpair(2); not owned, NULL once it is closed */
	bool was_paired;
	struct datagram *first, *last; /* owned */
	size_t length;
};

static const struct file_kind datagram_kind, packet_kind;

static struct endpoint *
endpoint_of(struct file *file)
{
	return (struct endpoint *)(void *)file;
}

struct file *
datagram_new(int family, bool is_packet)
{
	struct endpoint *endpoint = calloc(1, sizeof *endpoint);

	if (endpoint == NULL)
		return NULL;
	file_init(&endpoint->file, is_packet ? &packet_kind : &datagram_kind, family);
	endpoint->own.family = endpoint->peer.family = family;
	return &endpoint->file;
}

void
datagram_join(struct file *one, struct file *other)
{
	endpoint_of(one)->pair = endpoint_of(other);
	endpoint_of(other)->pair = endpoint_of(one);
	endpoint_of(one)->was_paired = endpoint_of(other)->was_paired = true;
}

static void
datagram_free(struct datagram *datagram)
{
	cargo_drop(datagram->cargo);
	free(datagram);
}

/* ---- on the way ---- */

static void
arrive(void *object)
{
	struct datagram *datagram = object;
	struct endpoint *to = datagram->to;

	if (to->file.descriptors == 0 || to->length + datagram->length > ROOM ||
		host_is_cut(datagram->from.on, to->own.on)) {
		world_note("a datagram of %ld bytes is lost", (long)datagram->length, 0, 0);
		datagram_free(datagram);
	} else {
		datagram->next = NULL;
		if (to->first == NULL)
			to->first = datagram;
		else
			to->last->next = datagram;
		to->last = datagram;
		to->length += datagram->length;
		file_changed(&to->file);
	}
	file_release(&to->file);
}

static void
dispatch(const struct endpoint *from, struct endpoint *to, const struct name *address,
	struct transfer *transfer)
{
	struct datagram *datagram = malloc(sizeof *datagram + transfer->length);
	bool is_far = address->on != from->own.on && from->file.family != AF_UNIX;
	size_t done = 0;

	if (datagram == NULL)
		return;
	datagram->to = to;
	datagram->from = from->own;
	if (from->file.family != AF_UNIX)
		name_settle(&datagram->from, address);
	datagram->length = transfer->length;
	datagram->cargo = transfer->cargo;
	transfer->cargo = NULL;
	for (size_t i = 0; i < transfer->count; i++) {
		memcpy(datagram->bytes + done, transfer->parts[i].iov_base,
			transfer->parts[i].iov_len);
		done += transfer->parts[i].iov_len;
	}
	file_hold(&to->file);
	/* Without trouble a datagram arrives at once, and in order, as over loopback. */
	if (from->file.family == AF_UNIX || (world_options()->partial == 0 && !is_far))
		arrive(datagram);
	else
		world_after(
			(int64_t)world_draw((uint64_t)world_options()->delay), arrive, datagram);
}

/* ---- sending and receiving ---- */

/* Of a pair of packets, whose other end is closed. */
static bool
is_at_end(const struct endpoint *endpoint)
{
	return endpoint->file.kind == &packet_kind && endpoint->pair == NULL;
}

static int
bind_any(struct endpoint *endpoint)
{
	if (endpoint->is_bound || endpoint->file.family == AF_UNIX)
		return 0;
	if (name_choose(&endpoint->own) != 0 || !name_listen(&endpoint->own, &endpoint->file))
		return failed(EADDRINUSE);
	endpoint->is_bound = true;
	return 0;
}

static ssize_t
datagram_send(struct file *file, struct transfer *transfer)
{
	struct endpoint *endpoint = endpoint_of(file);
	struct name to = endpoint->peer;
	struct file *receiver = endpoint->pair != NULL ? &endpoint->pair->file : NULL;

	if (is_at_end(endpoint))
		return failed(EPIPE);
	if (endpoint->was_paired && receiver == NULL)
		return failed(ECONNREFUSED);
	if (!endpoint->was_paired) {
		if (transfer->address != NULL) {
			if (name_read(&to, file->family, transfer->address,
				    *transfer->address_length) != 0)
				return -1;
		} else if (!endpoint->is_connected) {
			return failed(EDESTADDRREQ);
		}
		if (bind_any(endpoint) != 0)
			return -1;
		receiver = name_find(&to);
	}
	if (transfer->length > LONGEST)
		return failed(EMSGSIZE);
	if (receiver == NULL || receiver->kind != file->kind)
		return file->family == AF_UNIX ? failed(ECONNREFUSED) : (ssize_t)transfer->length;
	if (file->family == AF_UNIX && endpoint_of(receiver)->length + transfer->length > ROOM)
		return failed(EAGAIN);
	/* Trouble with streams is a part; with datagrams, one that is lost or comes twice. */
	if (file->family == AF_UNIX || !world_chance(world_options()->partial))
		dispatch(endpoint, endpoint_of(receiver), &to, transfer);
	if (file->family != AF_UNIX && world_chance(world_options()->partial))
		dispatch(endpoint, endpoint_of(receiver), &to, transfer);
	return (ssize_t)transfer->length;
}

static ssize_t
datagram_receive(struct file *file, struct transfer *transfer)
{
	struct endpoint *endpoint = endpoint_of(file);
	struct datagram *datagram = endpoint->first;
	size_t done = 0, whole;

	if (datagram == NULL)
		return endpoint->has_ended || is_at_end(endpoint) ? 0 : failed(EAGAIN);
	whole = datagram->length;
	for (size_t i = 0; i < transfer->count && done < whole; i++) {
		size_t part = transfer->parts[i].iov_len < whole - done ? transfer->parts[i].iov_len
									: whole - done;

		memcpy(transfer->parts[i].iov_base, datagram->bytes + done, part);
		done += part;
	}
	if (done < whole)
		transfer->told |= MSG_TRUNC;
	if (transfer->address != NULL)
		name_write(&datagram->from, transfer->address, transfer->address_length);
	if (transfer->flags & MSG_PEEK) {
		transfer->cargo = datagram->cargo != NULL ? cargo_copy(datagram->cargo) : NULL;
	} else {
		transfer->cargo = datagram->cargo;
		endpoint->first = datagram->next;
		endpoint->length -= whole;
		free(datagram);
		file_changed(file);
		if (endpoint->pair != NULL)
			file_changed(&endpoint->pair->file);
	}
	return (ssize_t)(transfer->flags & MSG_TRUNC ? whole : done);
}

static short
datagram_ready(const struct file *file)
{
	const struct endpoint *endpoint = (const struct endpoint *)(const void *)file;
	short events = 0;

	if (is_at_end(endpoint))
		return POLLIN | POLLOUT | POLLHUP | POLLRDHUP;
	/* As Linux: writable while a quarter is taken at most. */
	if (endpoint->pair == NULL || endpoint->pair->length <= ROOM / 4)
		events = POLLOUT;
	return (short)(events | (endpoint->first != NULL || endpoint->has_ended ? POLLIN : 0));
}

/* ---- names ---- */

static int
datagram_bind(struct file *file, const struct sockaddr *address, socklen_t length)
{
	struct endpoint *endpoint = endpoint_of(file);

	if (endpoint->is_bound)
		return failed(EINVAL);
	if (name_read(&endpoint->own, file->family, address, length) != 0 ||
		name_choose(&endpoint->own) != 0)
		return -1;
	if (!name_listen(&endpoint->own, file))
		return failed(EADDRINUSE);
	endpoint->is_bound = true;
	return 0;
}

static int
datagram_connect(struct file *file, const struct sockaddr *address, socklen_t length)
{
	struct endpoint *endpoint = endpoint_of(file);

	if (name_read(&endpoint->peer, file->family, address, length) != 0 ||
		bind_any(endpoint) != 0)
		return -1;
	endpoint->is_connected = true;
	return 0;
}

static int
datagram_name(const struct file *file, bool is_peer, struct sockaddr *address, socklen_t *length)
{
	const struct endpoint *endpoint = (const struct endpoint *)(const void *)file;

	if (is_peer && !endpoint->is_connected)
		return failed(ENOTCONN);
	name_write(is_peer ? &endpoint->peer : &endpoint->own, address, length);
	return 0;
}

static int
datagram_shutdown(struct file *file, int how)
{
	if (how != SHUT_WR)
		endpoint_of(file)->has_ended = true;
	file_changed(file);
	return 0;
}

static long
datagram_waiting(const struct file *file)
{
	const struct endpoint *endpoint = (const struct endpoint *)(const void *)file;

	return endpoint->first != NULL ? (long)endpoint->first->length : 0;
}

static void
datagram_close(struct file *file)
{
	struct endpoint *endpoint = endpoint_of(file);

	name_unlisten(file);
	if (endpoint->pair != NULL) {
		endpoint->pair->pair = NULL;
		file_changed(&endpoint->pair->file);
	}
	while (endpoint->first != NULL) {
		struct datagram *first = endpoint->first;

		endpoint->first = first->next;
		datagram_free(first);
	}
}

static const struct file_kind datagram_kind = {.what = "datagram socket",
	.type = S_IFSOCK,
	.socket_type = SOCK_DGRAM,
	.receive = datagram_receive,
	.send = datagram_send,
	.ready = datagram_ready,
	.connect = datagram_connect,
	.bind = datagram_bind,
	.shutdown = datagram_shutdown,
	.name = datagram_name,
	.waiting = datagram_waiting,
	.free = datagram_close};

static const struct file_kind packet_kind = {.what = "packet socket",
	.type = S_IFSOCK,
	.socket_type = SOCK_SEQPACKET,
	.receive = datagram_receive,
	.send = datagram_send,
	.ready = datagram_ready,
	.shutdown = datagram_shutdown,
	.name = datagram_name,
	.waiting = datagram_waiting,
	.free = datagram_close};
