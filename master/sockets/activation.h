/* Sockets that a service manager passes: LISTEN_FDS and LISTEN_PID of sd_listen_fds(3). */
#ifndef HUBBUB_SOCKETS_ACTIVATION_H
#define HUBBUB_SOCKETS_ACTIVATION_H

#include "master/sockets/sockets.h"

/* The highest descriptor that is said to be passed to this process; STDERR_FILENO without any. What
 * is not open of them is to be filled before anything else is opened, which would else be taken for
 * a passed socket. */
int activation_last(void);

/* Gives the passed sockets to the addresses that they are bound to. Those of no address, to which
 * nobody can have come, are closed with a warning. Call it between sockets_init and sockets_open.
 * Returns 0, or -1 after logging that one cannot be served, so that its clients would wait for
 * ever: it listens at no address of this server's, or is no listening socket of that address, or
 * not the only one. */
int activation_take(struct sockets *sockets);

#endif
