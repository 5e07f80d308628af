/* One server per address: SO_REUSEPORT would silently let a second copy share the connections of
 * the first. */
#ifndef HUBBUB_SOCKETS_CLAIM_H
#define HUBBUB_SOCKETS_CLAIM_H

#include "master/sockets/address.h"

/* Locks an address for as long as the descriptor lives. Returns it, or -1 after logging who has
 * it. */
int claim_address(const struct address *address);

/* Locks a port while this server starts on it. Returns the lock, or -1 after logging. May wait for
 * two seconds. */
int claim_port(const struct address *address);

/* Finds out whether somebody else listens there; what a killed server has left of a path is
 * removed.
 * Returns 0, or -1 after logging. May wait for some seconds, for workers of a server that was
 * killed. */
int claim_probe(const struct address *address);

/* Whether the machine does not have one of the addresses, and it can be done without, because it
 * has another of the same name; logs a warning then. */
bool claim_can_spare(const struct address *addresses, size_t count, size_t index);

/* Gives an address whose port is open the one that an earlier address of the same name has got.
 * Returns 0, or an errno if that is not to be had: EADDRINUSE. */
int claim_follow_port(struct address *addresses, size_t index);

#define CLAIM_PORTS_MAX 32 /* tries to find a port that is free at all addresses of a name */

/* Listens for the master itself at the addresses of the name that an option gives, as far as the
 * machine has them, all at one port. fds come as -1, and stay so but for those. Returns 0, or -1
 * after logging. */
int claim_listen(const struct address *addresses, size_t count, const char *option,
	int fds[static ADDRESSES_MAX]);

/* Logs why an address cannot be had, and what to do about it. */
void claim_explain(const struct address *address, int error);

#endif
