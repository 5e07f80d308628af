/* Addresses to listen on, as operators write them: HOST:PORT, [V6]:PORT, :PORT. */
#ifndef HUBBUB_MASTER_ADDRESS_H
#define HUBBUB_MASTER_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage socket;
	socklen_t length;
};

#define ADDRESS_TEXT_SIZE 64

/* Resolves text to at most max addresses; ":PORT" means all addresses of the machine, v4 and v6 by
 * one socket where the kernel has v6. May ask the resolver for a name.
 * Returns how many were stored, or 0 with *why set to a phrase for the user (static) and errno to EINVAL (it is
 * no address) or EHOSTUNREACH (the name has none). */
size_t address_parse(const char *text, struct address *addresses, size_t max, const char **why);

/* Writes "127.0.0.1:9090", "[::1]:9090" or ":9090" (all addresses). */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

unsigned address_port(const struct address *address);

#endif
