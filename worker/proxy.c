/* Headers of version 2, and the reading of both versions. Parsing is separate from reading:
 * proxy_parse takes a whole header and can be fuzzed. Every length that the peer sends is checked
 * against the bytes that are there, and one header costs one pass and at most one checksum,
 * whatever it contains. The header's bytes are read exactly, so the client's own bytes stay in the
 * socket. */
#include "worker/proxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "hub/base/check.h"
#include "hub/hub.h"
#include "worker/proxy_v1.h"

#define HEADER_TIME                                                                                \
	(5 * HUB_SECOND) /* the protocol asks for at least 3 s: one retransmission must fit */
#define COMMON_SIZE 256  /* bytes; a header with a few values fits */

enum {
	COMMAND_LOCAL = 0x20,
	COMMAND_PROXY = 0x21,
	FAMILY_UNSPECIFIED = 0x00,
	FAMILY_V4_STREAM = 0x11,
	FAMILY_V4_DATAGRAM = 0x12,
	FAMILY_V6_STREAM = 0x21,
	FAMILY_V6_DATAGRAM = 0x22,
	FAMILY_UNIX_STREAM = 0x31,
	FAMILY_UNIX_DATAGRAM = 0x32,
	VALUE_CHECKSUM = 0x03
};

static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static unsigned
big_endian(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

int
proxy_parse_head(const unsigned char head[static PROXY_HEAD_SIZE], const char **why)
{
	if (memcmp(head, signature, sizeof signature) != 0) {
		*why = "it does not begin with a PROXY header";
		return -1;
	}
	if (head[12] != COMMAND_LOCAL && head[12] != COMMAND_PROXY) {
		*why = "its PROXY header has a version or command that is not known";
		return -1;
	}
	return (int)big_endian(head + 14);
}

/* ---- parsing ---- */

/* Sets client, and returns how many bytes the addresses take; SIZE_MAX if the family is unknown or
 * the addresses are cut off. */
static size_t
parse_addresses(
	int family, const unsigned char *rest, size_t length, struct sockaddr_storage *client)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)client;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)client;
	struct sockaddr_un *local = (struct sockaddr_un *)client;

	switch (family) {
	case FAMILY_V4_STREAM:
	case FAMILY_V4_DATAGRAM:
		if (length < 12)
			return SIZE_MAX;
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, rest, 4);
		memcpy(&v4->sin_port, rest + 8, 2);
		return 12;
	case FAMILY_V6_STREAM:
	case FAMILY_V6_DATAGRAM:
		if (length < 36)
			return SIZE_MAX;
		v6->sin6_family = AF_INET6;
		memcpy(&v6->sin6_addr, rest, 16);
		memcpy(&v6->sin6_port, rest + 32, 2);
		return 36;
	case FAMILY_UNIX_STREAM:
	case FAMILY_UNIX_DATAGRAM:
		if (length < 216)
			return SIZE_MAX;
		local->sun_family = AF_UNIX;
		memcpy(local->sun_path, rest, sizeof local->sun_path);
		return 216;
	default:
		return SIZE_MAX;
	}
}

/* CRC-32C of header, in which the four bytes at offset own, the checksum itself, count as zeros. */
static uint32_t
checksum(const unsigned char *header, size_t length, size_t own)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		sum ^= i >= own && i < own + 4 ? 0 : header[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82F63B78u : 0);
	}
	return ~sum;
}

/* Whether the checksum at offset at is the header's. */
static bool
is_checksum(const unsigned char *header, size_t length, size_t at)
{
	uint32_t sum = checksum(header, length, at);
	const unsigned char own[4] = {(unsigned char)(sum >> 24), (unsigned char)(sum >> 16),
		(unsigned char)(sum >> 8), (unsigned char)sum};

	CHECK_WHY(at + sizeof own <= length, "a checksum that is cut off is refused before");
	return memcmp(header + at, own, sizeof own) == 0;
}

/* Checks the values from offset at on. Returns what is wrong with them, or NULL. A checksum costs a
 * pass over the whole header, so a header may have only one: thousands in one header would hold the
 * hub for seconds. */
static const char *
check_values(const unsigned char *header, size_t length, size_t at)
{
	size_t sum = 0; /* offset of the checksum; 0 while none was found */

	while (at < length) {
		size_t size;

		if (length - at < 3)
			return "a value in its PROXY header is cut off";
		size = big_endian(header + at + 1);
		if (length - at - 3 < size)
			return "a value in its PROXY header is longer than the header";
		if (header[at] == VALUE_CHECKSUM) {
			if (sum != 0)
				return "its PROXY header has more than one checksum";
			if (size != 4)
				return "the checksum of its PROXY header is not of 4 bytes";
			sum = at + 3;
		}
		at += 3 + size;
	}
	CHECK_WHY(at == length, "the values fill the header, and end in it");
	if (sum != 0 && !is_checksum(header, length, sum))
		return "the checksum of its PROXY header is wrong";
	return NULL;
}

bool
proxy_parse(const unsigned char *header, size_t length, struct sockaddr_storage *client,
	const char **why)
{
	size_t addresses;
	int rest;

	if (proxy_v1_is_begun(header, length))
		return proxy_v1_parse(header, length, client, why);
	memset(client, 0, sizeof *client);
	*why = "its PROXY header is too short";
	if (length < PROXY_HEAD_SIZE)
		return false;
	rest = proxy_parse_head(header, why);
	if (rest < 0 || (size_t)rest + PROXY_HEAD_SIZE != length)
		return false;
	/* The proxy's own connection, or a connection that it cannot describe: the rest is
	 * skipped. */
	if (header[12] == COMMAND_LOCAL || header[13] == FAMILY_UNSPECIFIED)
		return true;
	addresses = parse_addresses(header[13], header + PROXY_HEAD_SIZE, (size_t)rest, client);
	*why = "its PROXY header has addresses of a kind that is not known, or not whole";
	if (addresses == SIZE_MAX)
		return false;
	CHECK(addresses <= (size_t)rest);
	*why = check_values(header, length, PROXY_HEAD_SIZE + addresses);
	return *why == NULL;
}

/* ---- trust ---- */

static bool
is_in(const unsigned char *bytes, const struct worker_network *network)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	CHECK(network->bits <= (network->family == AF_INET6 ? 128 : 32));
	return memcmp(bytes, network->bytes, whole) == 0 &&
	       (rest == 0 || (bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0);
}

bool
proxy_is_trusted(
	const struct sockaddr_storage *address, const struct worker_network *networks, size_t count)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const unsigned char *bytes = (const unsigned char *)&v4->sin_addr;
	int family = address->ss_family;

	if (family == AF_INET6) {
		bytes = v6->sin6_addr.s6_addr;
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
			bytes += 12;
			family = AF_INET;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (networks[i].family == family && is_in(bytes, &networks[i]))
			return true;
	return false;
}

/* ---- reading ---- */

#define TOO_LATE "its PROXY header did not arrive whole in time"

static ssize_t
receive_what_is_there(int fd, unsigned char *buffer, size_t length, int flags)
{
	struct hub_timeout shield;
	ssize_t received;

	hub_shield_start(&shield);
	received = hub_recv(fd, buffer, length, flags | MSG_DONTWAIT);
	hub_shield_stop(&shield);
	return received;
}

/* Like hub_recv; but bytes that are there count after the deadline, too: a process that was stopped
 * finds both. */
static ssize_t
receive(int fd, unsigned char *buffer, size_t length, int flags)
{
	size_t received = 0;

	do {
		unsigned char *at = buffer + received;
		ssize_t part = hub_recv(fd, at, length - received, flags);

		if (part == -1 && errno == ETIMEDOUT)
			part = receive_what_is_there(fd, at, length - received, flags);
		if (part <= 0)
			return received > 0 ? (ssize_t)received : part;
		received += (size_t)part;
	} while (received < length && (flags & MSG_WAITALL) != 0);
	return (ssize_t)received;
}

/* Reads the rest of a line into buffer, of which *size bytes are there. What follows the line stays
 * in the socket: each part is looked at before it is taken. */
static enum proxy_reading
read_line(int fd, unsigned char buffer[static PROXY_V1_MOST], size_t *size, const char **why)
{
	while (memchr(buffer, '\n', *size) == NULL) {
		unsigned char *at = buffer + *size, *end;
		ssize_t part;

		*why = "its PROXY header of version 1 does not end with CR LF within 107 bytes";
		if (*size == PROXY_V1_MOST)
			return PROXY_WRONG;
		*why = TOO_LATE;
		part = receive(fd, at, PROXY_V1_MOST - *size, MSG_PEEK);
		if (part <= 0)
			return PROXY_CUT;
		end = memchr(at, '\n', (size_t)part);
		if (end != NULL)
			part = end + 1 - at;
		if (receive(fd, at, (size_t)part, MSG_WAITALL) != part)
			return PROXY_CUT;
		*size += (size_t)part;
	}
	return PROXY_READ;
}

/* Reads the rest of a header of version 2, of which PROXY_V1_LEAST bytes are there, into buffer, or
 * into allocated memory if buffer is too small. */
static enum proxy_reading
read_binary(int fd, unsigned char buffer[static COMMON_SIZE], unsigned char **header, size_t *size,
	const char **why)
{
	const size_t lacking = PROXY_HEAD_SIZE - PROXY_V1_LEAST;
	int rest;

	if (receive(fd, buffer + PROXY_V1_LEAST, lacking, MSG_WAITALL) != (ssize_t)lacking)
		return PROXY_CUT;
	rest = proxy_parse_head(buffer, why);
	if (rest < 0)
		return PROXY_WRONG;
	*size = (size_t)rest + PROXY_HEAD_SIZE;
	if (*size > COMMON_SIZE) {
		*header = malloc(*size);
		if (*header == NULL) {
			*why = "there is no memory for its PROXY header";
			return PROXY_WRONG;
		}
		memcpy(*header, buffer, PROXY_HEAD_SIZE);
	}
	*why = TOO_LATE;
	if (rest > 0 && receive(fd, *header + PROXY_HEAD_SIZE, (size_t)rest, MSG_WAITALL) != rest)
		return PROXY_CUT;
	return PROXY_READ;
}

/* Reads the whole header, and sets *header and *size; *header is buffer or allocated. First as many
 * bytes as any header has. *why is a phrase unless the result is PROXY_READ. */
static enum proxy_reading
read_header(int fd, unsigned char buffer[static COMMON_SIZE], unsigned char **header, size_t *size,
	const char **why)
{
	ssize_t received = receive(fd, buffer, PROXY_V1_LEAST, MSG_WAITALL);

	*header = buffer;
	*why = TOO_LATE;
	if (received != PROXY_V1_LEAST)
		return received <= 0 ? PROXY_NOTHING : PROXY_CUT;
	*size = PROXY_V1_LEAST;
	return proxy_v1_is_begun(buffer, *size) ? read_line(fd, buffer, size, why)
						: read_binary(fd, buffer, header, size, why);
}

enum proxy_reading
proxy_read(int fd, struct sockaddr_storage *client, const char **why)
{
	unsigned char buffer[COMMON_SIZE], *header;
	struct hub_timeout scope;
	enum proxy_reading reading;
	size_t size;

	hub_timeout_start(&scope, HEADER_TIME);
	reading = read_header(fd, buffer, &header, &size, why);
	hub_timeout_stop(&scope);
	if (reading == PROXY_READ && !proxy_parse(header, size, client, why))
		reading = PROXY_WRONG;
	if (header != buffer)
		free(header);
	return reading;
}
