/* One server per address. Without a claim, SO_REUSEPORT would silently let a second server of the
 * same user share the connections of the first. */
#ifndef HUBBUB_SOCKETS_CLAIM_H
#define HUBBUB_SOCKETS_CLAIM_H

#include "master/sockets/address.h"

/* Locks an address for this server. Returns a file descriptor that holds the lock until it is
 * closed, here and in each process that inherited it; or -1 after logging which server has the
 * address. */
int claim_address(const struct address *address);

/* Locks a port while this server starts on it. Returns a file descriptor that holds the lock until
 * it is closed, or -1 after logging. May block for two seconds. */
int claim_port(const struct address *address);

/* Finds out whether another process listens on the address. A Unix socket on which nobody listens
 * is removed. Returns 0, or -1 after logging who listens. May block for some seconds, until the
 * workers of a killed master have closed their sockets. */
int claim_probe(const struct address *address);

/* Whether the server can do without the address of that index: the machine does not have it, but
 * has another address of the same name. Then it logs a warning. */
bool claim_can_spare(const struct address *addresses, size_t count, size_t index);

/* If the port is still open, gives the address the port that an earlier address of the same name
 * and kind got. Returns 0, or an errno if that port cannot be bound here: EADDRINUSE. */
int claim_follow_port(struct address *addresses, size_t index);

#define CLAIM_PORTS_MAX 32 /* tries to find a port that is free on all addresses of a name */

/* Listens for the master itself on the addresses of the name that an option gives, as far as the
 * machine has them, all on one port. option is the option's name, for errors. The caller
 * initialises fds to -1, and owns the listening sockets that are stored there. Returns 0, or -1
 * after logging. */
int claim_listen(const struct address *wanted, size_t count, const char *option,
	int fds[static ADDRESSES_MAX]);

/* Logs why an address cannot be listened on, by that errno, and what to do about it. */
void claim_explain(const struct address *address, int error);

#endif
