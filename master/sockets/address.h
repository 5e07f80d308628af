/* Addresses to listen on, as operators write them: HOST:PORT, [V6]:PORT or :PORT for TCP, the same
 * with udp: in front, or unix:PATH. A host name may stand for several addresses. In front of that
 * may be the name of a listener of the service: NAME=ADDRESS. */
#ifndef HUBBUB_SOCKETS_ADDRESS_H
#define HUBBUB_SOCKETS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 16 /* of one host name, and of one server */

#define ADDRESS_LISTENER_SIZE 32 /* bytes of a listener's name */

enum address_kind { ADDRESS_TCP, ADDRESS_UDP, ADDRESS_UNIX };

/* One address that a socket can be bound to. */
struct address {
	enum address_kind kind;
	struct sockaddr_storage socket;
	socklen_t length;
	unsigned name;       /* index of the --listen that named it; a name may have several */
	bool is_alternative; /* the server can do without it: the name has others */
	char listener[ADDRESS_LISTENER_SIZE]; /* the name of its listener; "" without */
};

#define ADDRESS_TEXT_SIZE 128 /* bytes; the longest text is a Unix socket's path behind "unix:" */
#define ADDRESS_LISTENED_SIZE (ADDRESS_LISTENER_SIZE + ADDRESS_TEXT_SIZE)

/* Resolves text to all its addresses, each once; ":PORT" means all addresses of the machine, IPv4
 * and IPv6 by one socket if the kernel has IPv6. May ask the resolver for a host name, and block.
 * Returns how many addresses it stored, or 0 with *why set to a static phrase to follow the text,
 * and errno: EINVAL (not an address), EHOSTUNREACH (the name has no address) or E2BIG (it has more
 * than ADDRESSES_MAX). */
size_t address_parse(
	const char *text, struct address addresses[static ADDRESSES_MAX], const char **why);

/* Whether text can be the name of a listener: a letter, then letters, digits, '-' and '_', all
 * lower-case; shorter than ADDRESS_LISTENER_SIZE. */
bool address_is_listener(const char *text);

/* Takes "NAME=" off the front of *text: what stands before a '=' that comes before any ':'. Every
 * address has a ':', and none has a '=' before it. listener becomes the name, or "" if there is
 * none. Returns false if that is no name. */
bool address_take_listener(const char **text, char listener[static ADDRESS_LISTENER_SIZE]);

/* Writes "127.0.0.1:9090", "[::1]:9090", ":9090" (all addresses), the same with "udp:", or
 * "unix:/run/echo.sock". */
void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* The same as --listen names it: with "NAME=" in front, if its listener has a name. */
void address_format_listened(
	const struct address *address, char text[static ADDRESS_LISTENED_SIZE]);

/* Returns the port in host byte order; 0 for a Unix socket. */
unsigned address_port(const struct address *address);

/* Whether the port is 0: the kernel will choose one, but has not yet. False for a Unix socket. */
bool address_is_open(const struct address *address);

/* Sets the port, in host byte order. Does nothing to a Unix socket. */
void address_set_port(struct address *address, unsigned port);

/* Whether both are of the same kind and the same socket address. */
bool address_is_same(const struct address *address, const struct address *other);

/* Whether the two addresses cannot be listened on at once: they are the same, or have the same port
 * and one of them means all addresses of the machine. False if the port of the first is open. */
bool address_overlaps(const struct address *address, const struct address *other);

/* Returns the path of an ADDRESS_UNIX, borrowed from address. */
const char *address_path(const struct address *address);

/* Whether the sockets of a former master are those that the options mean, in any sequence, with the
 * same names of listeners.
 * Alternative addresses of a name may be missing among the sockets. */
bool addresses_are_meant(const struct address *options, size_t option_count,
	const struct address *former, size_t count);

#endif
