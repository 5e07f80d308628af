/* Sockets that a service manager passes: LISTEN_FDS and LISTEN_PID of sd_listen_fds(3). */
#ifndef HUBBUB_MASTER_ACTIVATION_H
#define HUBBUB_MASTER_ACTIVATION_H

#include "master/sockets.h"

/* Gives the passed sockets to the addresses that they are bound to, and closes those that are of no
 * address, with a warning. Call it between sockets_init and sockets_open. */
void activation_take(struct sockets *sockets);

#endif
