/* A layer: what lies between a socket and whoever uses it, and changes the bytes on their way,
 * such as TLS. Every call of io/socket.h on the descriptor goes through it. */
#ifndef HUBBUB_IO_LAYER_KIND_PRIV_H
#define HUBBUB_IO_LAYER_KIND_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hub_fd;
struct hub_layer;

/* What a layer can do. None of these switches; receive, send, flush and end_output return -1 and
 * errno, EAGAIN if the socket has to be ready first. */
struct layer_kind {
	ssize_t (*receive)(struct hub_layer *layer, void *buffer, size_t length, int flags);
	/* What it takes counts as sent, though part of it may be kept for flush. */
	ssize_t (*send)(struct hub_layer *layer, const void *buffer, size_t length);
	/* Sends what it has kept. Returns 0 when that is nothing any more. */
	int (*flush)(struct hub_layer *layer);
	bool (*has_kept)(const struct hub_layer *layer);
	/* Gives what it has kept away, for the caller to send and free; NULL if that is nothing. */
	unsigned char *(*take_kept)(struct hub_layer *layer, size_t *length);
	/* Whether receive would return something though the socket is silent. */
	bool (*has_input)(struct hub_layer *layer);
	/* Says to the peer that nothing more will be sent. */
	int (*end_output)(struct hub_layer *layer);
	/* Frees it; sends nothing. */
	void (*free)(struct hub_layer *layer);
	/* Before the descriptor is closed: says to the peer that this is the end, has sent what
	 * was kept, and frees the layer, which the entry then has no more. */
	void (*close)(struct hub_fd *entry);
};

struct hub_layer {
	const struct layer_kind *kind;
	bool has_flusher; /* a coroutine sends what is kept */
};

#endif
