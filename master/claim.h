/* One server per address: SO_REUSEPORT would silently let a second copy share the connections of the
 * first. */
#ifndef HUBBUB_MASTER_CLAIM_H
#define HUBBUB_MASTER_CLAIM_H

#include "master/address.h"

/* Locks an address for as long as the descriptor lives. Returns it, or -1 after logging who has it. */
int claim_address(const struct address *address);

/* Locks a port while this server starts on it. Returns the lock, or -1 after logging. May wait for two
 * seconds. */
int claim_port(const struct address *address);

/* Finds out whether somebody else listens there; what a killed server has left of a path is removed.
 * Returns 0, or -1 after logging. May wait for two seconds, for workers of a server that was killed. */
int claim_probe(const struct address *address);

/* Listens at an address for the master itself, which that option names. Returns the socket, or -1 after logging. */
int claim_listen(const struct address *address, const char *option);

/* Logs why an address cannot be had, and what to do about it. */
void claim_explain(const struct address *address, int error);

#endif
