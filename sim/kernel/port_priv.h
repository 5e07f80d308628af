/* Ports of clients: a host has only so many, and needs one for each connection to the same peer. */
#ifndef HUBBUB_SIM_PORT_PRIV_H
#define HUBBUB_SIM_PORT_PRIV_H

#include <stdbool.h>

struct name;
struct port;

/* So many a host has: Linux's default range. */
#define PORTS_MOST 28232

/* The world begins: none is taken. */
void ports_begin(void);

/* A connection from name to peer begins: gives the name a port, if it has none, that no other
 * connection of the host to that peer has. The connection has it until port_leave. NULL with errno
 * EADDRNOTAVAIL. */
struct port *port_take(struct name *name, const struct name *peer);

/* The connection has ended; was_first: at this end first, so its port stays taken for a while
 * (TIME_WAIT). NULL is ignored. */
void port_leave(struct port *port, bool was_first);

#endif
