/* Which process owns an address that is in use. */
#ifndef HUBBUB_SOCKETS_PORT_OWNER_H
#define HUBBUB_SOCKETS_PORT_OWNER_H

#include "master/sockets/address.h"

#define PORT_OWNER_TEXT_SIZE 64

/* What the owner is to this server. */
enum port_owner {
	PORT_OWNER_UNKNOWN, /* no owner, or none that this user can see in /proc */
	PORT_OWNER_ORPHAN,  /* perhaps a worker of a dead master, which ends soon */
	PORT_OWNER_OTHER    /* another process */
};

/* Finds the process that listens on the address, and writes "pid 123 (nginx)", or "another process"
 * if it is not known. Reads all of /proc, which takes some milliseconds. */
enum port_owner port_owner_find(
	const struct address *address, char text[static PORT_OWNER_TEXT_SIZE]);

#endif
