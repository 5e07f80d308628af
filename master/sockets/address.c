/* Parsing, comparing and writing struct address. Its padding is always zero, so memcmp compares
 * addresses. Only address_parse may block: it asks the resolver. */
#include "master/sockets/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "master/base/values.h"

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number

/* Splits text at its last colon, and strips the brackets of an IPv6 host. Returns NULL, or what is
 * wrong. */
static const char *
split(const char *text, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t length;

	if (strstr(text, "://") != NULL)
		return "is a URL; write HOST:PORT, [V6]:PORT, :PORT, udp:HOST:PORT or unix:PATH";
	if (colon == NULL)
		return "has no port; write HOST:PORT, [V6]:PORT, :PORT, udp:HOST:PORT or unix:PATH";
	*port = colon + 1;
	length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length) != NULL) {
		return "is ambiguous; write an IPv6 address in brackets: [::1]:9090";
	}
	if (length >= size)
		return "has a host name that is too long";
	memcpy(host, text, length);
	host[length] = '\0';
	return NULL;
}

static const char *
check_port(const char *port)
{
	uint64_t number;

	if (!values_read_plain(port, UINT16_MAX, &number))
		return "has no valid port; a port is a number from 0 (any free one) to 65535";
	return NULL;
}

/* ":PORT", all addresses of the machine: one IPv6 socket that also accepts IPv4, or an IPv4 socket
 * on a kernel without IPv6. */
static size_t
any_address(enum address_kind kind, const char *port, struct address *address)
{
	in_port_t number = htons((in_port_t)atoi(port));
	int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(address, 0, sizeof *address);
	address->kind = kind;
	if (probe == -1) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)&address->socket;

		v4->sin_family = AF_INET;
		v4->sin_port = number;
		address->length = sizeof *v4;
	} else {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->socket;

		close(probe);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = number;
		address->length = sizeof *v6;
	}
	return 1;
}

static size_t
path_address(const char *path, struct address *address, const char **why)
{
	struct sockaddr_un *name = (struct sockaddr_un *)&address->socket;
	size_t length = strlen(path);

	*why = length == 0                       ? "has no path; write unix:PATH"
	       : length >= sizeof name->sun_path ? "has a path that is too long; at most 107 bytes"
						 : NULL;
	if (*why != NULL) {
		errno = EINVAL;
		return 0;
	}
	memset(address, 0, sizeof *address);
	address->kind = ADDRESS_UNIX;
	name->sun_family = AF_UNIX;
	memcpy(name->sun_path, path, length);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 1;
}

/* Moves *text behind the prefix. Returns false if text does not begin with it. */
static bool
skip(const char **text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(*text, prefix, length) != 0)
		return false;
	*text += length;
	return true;
}

/* Copies the resolver's answer, each address once: an address that stands twice in /etc/hosts comes
 * twice. Returns how many, or 0 with *why and errno if there are more than ADDRESSES_MAX. */
static size_t
collect(const struct addrinfo *found, enum address_kind kind, struct address *addresses,
	const char **why)
{
	size_t count = 0;

	for (; found != NULL; found = found->ai_next) {
		struct address address;
		bool is_new = true;

		memset(&address, 0, sizeof address);
		address.kind = kind;
		memcpy(&address.socket, found->ai_addr, found->ai_addrlen);
		address.length = found->ai_addrlen;
		for (size_t i = 0; i < count; i++)
			is_new = is_new && !address_is_same(&address, &addresses[i]);
		if (is_new && count == ADDRESSES_MAX) {
			*why = "names more than " TEXT(ADDRESSES_MAX) " addresses";
			errno = E2BIG;
			return 0;
		}
		if (is_new)
			addresses[count++] = address;
	}
	for (size_t i = 0; i < count; i++)
		addresses[i].is_alternative = count > 1;
	return count;
}

size_t
address_parse(const char *text, struct address addresses[static ADDRESSES_MAX], const char **why)
{
	enum address_kind kind = skip(&text, "udp:") ? ADDRESS_UDP : ADDRESS_TCP;
	bool is_named = kind == ADDRESS_UDP || skip(&text, "tcp:");
	struct addrinfo hints = {.ai_socktype = kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	static _Thread_local char failure[128];
	struct addrinfo *found;
	const char *port = "";
	char host[256];
	size_t count;
	int error;

	if (!is_named && skip(&text, "unix:"))
		return path_address(text, addresses, why);
	*why = split(text, host, sizeof host, &port);
	if (*why == NULL)
		*why = check_port(port);
	if (*why != NULL) {
		errno = EINVAL;
		return 0;
	}
	if (host[0] == '\0')
		return any_address(kind, port, addresses);
	error = getaddrinfo(host, port, &hints, &found);
	if (error != 0) {
		snprintf(failure, sizeof failure, "cannot be looked up: %s", gai_strerror(error));
		*why = error == EAI_NONAME ? "names no known host" : failure;
		errno = EHOSTUNREACH;
		return 0;
	}
	count = collect(found, kind, addresses, why);
	error = errno;
	freeaddrinfo(found);
	errno = error;
	return count;
}

bool
address_is_listener(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char all[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t length = strlen(text);

	return length > 0 && length < ADDRESS_LISTENER_SIZE && strchr(letters, *text) != NULL &&
	       strspn(text, all) == length;
}

bool
address_take_listener(const char **text, char listener[static ADDRESS_LISTENER_SIZE])
{
	size_t length = strcspn(*text, "=:");

	listener[0] = '\0';
	if ((*text)[length] != '=')
		return true;
	if (length >= ADDRESS_LISTENER_SIZE)
		return false;
	memcpy(listener, *text, length);
	listener[length] = '\0';
	*text += length + 1;
	return address_is_listener(listener);
}

bool
address_is_open(const struct address *address)
{
	return address->kind != ADDRESS_UNIX && address_port(address) == 0;
}

static bool
is_any(const struct address *address)
{
	if (address->socket.ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(
			&((const struct sockaddr_in6 *)&address->socket)->sin6_addr);
	return ((const struct sockaddr_in *)&address->socket)->sin_addr.s_addr == INADDR_ANY;
}

bool
address_is_same(const struct address *address, const struct address *other)
{
	return address->kind == other->kind && address->length == other->length &&
	       memcmp(&address->socket, &other->socket, address->length) == 0;
}

bool
address_overlaps(const struct address *address, const struct address *other)
{
	if (address->kind != other->kind || address_is_open(address))
		return false;
	if (address_is_same(address, other))
		return true;
	return address->kind != ADDRESS_UNIX && address_port(address) == address_port(other) &&
	       (is_any(address) || is_any(other));
}

const char *
address_path(const struct address *address)
{
	return ((const struct sockaddr_un *)&address->socket)->sun_path;
}

unsigned
address_port(const struct address *address)
{
	if (address->kind == ADDRESS_UNIX)
		return 0;
	if (address->socket.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address->socket)->sin6_port);
	return ntohs(((const struct sockaddr_in *)&address->socket)->sin_port);
}

void
address_set_port(struct address *address, unsigned port)
{
	in_port_t number = htons((in_port_t)port);

	if (address->kind == ADDRESS_UNIX)
		return;
	if (address->socket.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&address->socket)->sin6_port = number;
	else
		((struct sockaddr_in *)&address->socket)->sin_port = number;
}

void
address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
	const char *prefix = address->kind == ADDRESS_UDP ? "udp:" : "";
	char host[INET6_ADDRSTRLEN] = "";
	unsigned port = address_port(address);

	if (address->kind == ADDRESS_UNIX) {
		snprintf(text, ADDRESS_TEXT_SIZE, "unix:%s", address_path(address));
	} else if (address->socket.ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->socket;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
		snprintf(text, ADDRESS_TEXT_SIZE,
			strcmp(host, "::") == 0 ? "%s%.0s:%u" : "%s[%s]:%u", prefix, host, port);
	} else {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->socket;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
		snprintf(text, ADDRESS_TEXT_SIZE, "%s%s:%u", prefix, host, port);
	}
}

void
address_format_listened(const struct address *address, char text[static ADDRESS_LISTENED_SIZE])
{
	int length = address->listener[0] == '\0'
			     ? 0
			     : snprintf(text, ADDRESS_LISTENER_SIZE + 1, "%s=", address->listener);

	address_format(address, text + length);
}

/* Whether a former master's socket may be what an option means; port 0 of an option means any
 * port. */
static bool
is_meant(const struct address *own, const struct address *former)
{
	struct address same_port = *former;

	if (address_is_open(own))
		address_set_port(&same_port, 0);
	return address_is_same(own, &same_port) && strcmp(own->listener, former->listener) == 0;
}

bool
addresses_are_meant(const struct address *options, size_t option_count,
	const struct address *former, size_t count)
{
	size_t meant = 0;

	for (size_t i = 0; i < option_count; i++) {
		const struct address *own = &options[i];
		size_t at = 0;

		while (at < count && !is_meant(own, &former[at]))
			at++;
		if (at == count && !own->is_alternative)
			return false;
		meant += at < count;
	}
	return meant == count;
}
