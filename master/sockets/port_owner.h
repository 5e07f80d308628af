/* Who listens on a port that is in use. */
#ifndef HUBBUB_SOCKETS_PORT_OWNER_H
#define HUBBUB_SOCKETS_PORT_OWNER_H

#include "master/sockets/address.h"

#define PORT_OWNER_TEXT_SIZE 64

enum port_owner {
	PORT_OWNER_UNKNOWN, /* nobody, or /proc does not tell */
	PORT_OWNER_ORPHAN, /* perhaps a worker whose master is dead, and which closes its sockets */
	PORT_OWNER_OTHER
};

/* Writes "pid 123 (nginx)", or "another process". */
enum port_owner port_owner_find(
	const struct address *address, char text[static PORT_OWNER_TEXT_SIZE]);

#endif
