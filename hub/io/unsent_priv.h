/* Closing a layer whose bytes the kernel has not all taken. */
#ifndef HUBBUB_IO_UNSENT_PRIV_H
#define HUBBUB_IO_UNSENT_PRIV_H

#include "hub/base/inside.h"

struct hub_fd;

/* For layer_kind.close: ends the output, and frees the layer. Bytes that the socket does not take
 * now are sent by a coroutine on a duplicate fd, within some seconds, as the kernel does with bytes
 * that it has taken. Does not switch. */
void unsent_close(struct hub_fd *entry) HUB_INSIDE(unsent_close);

#endif
