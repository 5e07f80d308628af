/* Receiving and sending through a layer (layer_kind_priv.h). */
#ifndef HUBBUB_IO_LAYER_PRIV_H
#define HUBBUB_IO_LAYER_PRIV_H

#include <sys/uio.h>

#include "hub/base/inside.h"
#include "hub/io/layer_kind_priv.h"

/* Gives a layer to an entry that has none; the entry owns it. */
void layer_attach(struct hub_fd *entry, struct hub_layer *layer) HUB_INSIDE(layer_attach);

/* Receive and send on an entry with a layer, as io/socket.h describes. what is a word for dumps. */
ssize_t layer_receive(
	struct hub_fd *entry, const struct iovec *parts, size_t count, int flags, const char *what);
ssize_t layer_send(
	struct hub_fd *entry, const struct iovec *parts, size_t count, int flags, const char *what);

/* Ends the output, and waits until the end is sent. Returns 0, or -1 and errno: EPIPE if nothing
 * can be sent any more. */
int layer_end_output(struct hub_fd *entry, const char *what);

#endif
