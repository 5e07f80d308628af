/* Socket activation: sockets that a service manager passes by LISTEN_FDS, LISTEN_PID and
 * LISTEN_FDNAMES (sd_listen_fds_with_names(3)). */
#ifndef HUBBUB_SOCKETS_ACTIVATION_H
#define HUBBUB_SOCKETS_ACTIVATION_H

#include "master/sockets/sockets.h"

/* Returns the highest file descriptor that the environment says was passed to this process;
 * STDERR_FILENO if none was. The caller opens /dev/null on each file descriptor up to it that is
 * closed, before it opens anything else, which would otherwise be taken for a passed socket. */
int activation_last(void);

/* Gives each passed socket to the address that it is bound to, between sockets_init and
 * sockets_open. A passed socket of no address is closed with a warning, if it cannot have clients.
 * Returns 0, or -1 after logging that a passed socket cannot be served although clients may wait
 * there: it listens on none of the --listen addresses, is of the wrong type, is connected, is the
 * second one of its address, or has the name of a listener (FileDescriptorName=) whose address it
 * is not. */
int activation_take(struct sockets *sockets);

#endif
