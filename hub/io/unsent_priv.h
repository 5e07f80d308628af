#ifndef HUBBUB_IO_UNSENT_PRIV_H
#define HUBBUB_IO_UNSENT_PRIV_H

#include "hub/base/inside.h"

struct hub_fd;

/* For layer_kind.close: says that this is the end, and frees the layer. What the socket does not
 * take now is sent by a coroutine on a duplicate, within some seconds, as the kernel would send
 * what it has taken. Does not switch. */
void unsent_close(struct hub_fd *entry) HUB_INSIDE(unsent_close);

#endif
