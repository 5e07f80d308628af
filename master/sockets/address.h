/* Addresses to listen on, as operators write them: HOST:PORT, [V6]:PORT, :PORT; udp: before one of
 * these; unix:PATH. */
#ifndef HUBBUB_SOCKETS_ADDRESS_H
#define HUBBUB_SOCKETS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 16 /* of a name, and of a server */

enum address_kind { ADDRESS_TCP, ADDRESS_UDP, ADDRESS_UNIX };

struct address {
	enum address_kind kind;
	struct sockaddr_storage socket;
	socklen_t length;
	unsigned name; /* which of those that were asked for; a name can have several addresses */
	bool is_alternative; /* and so can do without this one, if the machine does not have it */
};

#define ADDRESS_TEXT_SIZE 128 /* the longest is a path with its "unix:" */

/* Resolves text to all its addresses, each once; ":PORT" means all addresses of the machine, v4 and
 * v6 by one socket where the kernel has v6. May ask the resolver for a name.
 * Returns how many were stored, or 0 with *why set to a phrase for the user (static) and errno to
 * EINVAL (it is no address), EHOSTUNREACH (the name has none) or E2BIG (it has more than
 * ADDRESSES_MAX). */
size_t address_parse(
	const char *text, struct address addresses[static ADDRESSES_MAX], const char **why);

/* Writes "127.0.0.1:9090", "[::1]:9090", ":9090" (all addresses), the same with "udp:", or
 * "unix:/run/echo.sock". */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* 0 for a path. */
unsigned address_port(const struct address *address);

/* Whether the port is the kernel's to choose, and is not chosen yet. */
bool address_is_open(const struct address *address);

/* Does nothing to a path. */
void address_set_port(struct address *address, unsigned port);

bool address_is_same(const struct address *address, const struct address *other);

/* Whether both cannot be listened on at once: the same, or the same port and one of them all
 * addresses. */
bool address_overlaps(const struct address *address, const struct address *other);

/* The path of ADDRESS_UNIX. */
const char *address_path(const struct address *address);

/* Whether the addresses of a former master's sockets are those that this one's options mean, in any
 * order; those that the options could do without may be missing. */
bool addresses_are_meant(const struct address *options, size_t option_count,
	const struct address *former, size_t count);

#endif
