/* The record of a stream socket, and how sockets are connected. Nothing here switches. */
#ifndef HUBBUB_SIM_STREAM_CONNECT_PRIV_H
#define HUBBUB_SIM_STREAM_CONNECT_PRIV_H

#include <stdbool.h>

#include "sim/kernel/channel_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/name_priv.h"

enum stream_state { STREAM_FRESH, STREAM_LISTENING, STREAM_CONNECTING, STREAM_CONNECTED };

struct stream {
	struct file file; /* must be first */
	enum stream_state state;
	struct name own, peer_name;
	bool is_bound;
	struct channel *in, *out; /* a reference each; NULL before it is connected */
	size_t send_buffer;       /* that SO_SNDBUF has set; 0: as it is */
	struct stream *peer;      /* not owned; NULL once it is closed */
	struct port *port;        /* of a client; owned; NULL: none */
	int error;                /* SO_ERROR */
	bool is_reset;
	bool is_unanswered; /* the other end is connected, but this one does not know yet */
	/* A listener's: connections that were not accepted yet, one reference each. */
	struct stream **queue;
	int queued, backlog;
	/* While it connects. */
	int tries;
	int refusal; /* an errno: the network will refuse it; 0: it will not */
};

static inline struct stream *
stream_of(struct file *file)
{
	return (struct stream *)(void *)file;
}

static inline bool
stream_is_tcp(const struct stream *stream)
{
	return stream->file.family != AF_UNIX;
}

/* SO_ERROR: returns it, and clears it. */
static inline int
stream_take_error(struct stream *stream)
{
	int error = stream->error;

	stream->error = 0;
	return error;
}

/* A new socket of that kind. NULL without memory. */
struct file *stream_make(const struct file_kind *kind, int family);

/* Connects two new sockets, as socketpair(2). False without memory. */
bool stream_join(struct file *one, struct file *other);

/* The connection is broken: what was on its way is lost, and SO_ERROR says why. */
void stream_break(struct stream *stream, int error);

/* As listen(2), accept(2) and connect(2), which never wait. */
int stream_listen(struct file *file, int backlog);
struct file *stream_accept(struct file *file);
int stream_connect(struct file *file, const struct sockaddr *address, socklen_t length);

#endif
