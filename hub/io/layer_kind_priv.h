/* A layer: it lies between a socket and the calls of io/socket.h on it, and changes the bytes on
 * their way, as TLS does. Every such call goes through it. */
#ifndef HUBBUB_IO_LAYER_KIND_PRIV_H
#define HUBBUB_IO_LAYER_KIND_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hub_fd;
struct hub_layer;

/* The operations of a kind of layer. None of them switches; receive, send, flush and end_output
 * return -1 and errno, EAGAIN if the socket must be ready first. */
struct layer_kind {
	ssize_t (*receive)(struct hub_layer *layer, void *buffer, size_t length, int flags);
	/* Returns the bytes taken; they count as sent, though the layer may keep a part of them for
	 * flush. */
	ssize_t (*send)(struct hub_layer *layer, const void *buffer, size_t length);
	/* Sends the bytes that are kept. Returns 0 when none are left. */
	int (*flush)(struct hub_layer *layer);
	bool (*has_kept)(const struct hub_layer *layer);
	/* Moves the kept bytes to the caller, who sends and frees them; NULL if there are none. */
	unsigned char *(*take_kept)(struct hub_layer *layer, size_t *length);
	/* Whether receive would return bytes, or the end, though the socket is not readable. */
	bool (*has_input)(struct hub_layer *layer);
	/* Tells the peer that nothing more will be sent. */
	int (*end_output)(struct hub_layer *layer);
	/* Frees the layer; sends nothing. */
	void (*free)(struct hub_layer *layer);
	/* Called before the fd is closed: tells the peer that the stream ends, has the kept bytes
	 * sent, frees the layer and clears it in the entry. */
	void (*close)(struct hub_fd *entry);
};

struct hub_layer {
	const struct layer_kind *kind;
	bool has_flusher; /* a coroutine is sending the kept bytes */
};

#endif
