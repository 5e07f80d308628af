/* Who the clients are: the number of a client becomes its address, and, once all addresses are
 * used, its port too. A Unix socket has no addresses of IP: its header names IPv4's, as that of a
 * balancer which got its client by TCP. */
#include "tests/load/drive/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/hub.h"

#define V4_FIRST 0xc6120001U /* 198.18.0.1 */
#define V4_COUNT 131070U
#define V4_APART 8191U /* between generators */
#define GENERATORS 16
#define PORT_FIRST 1024
#define PORT_COUNT 64512
#define V2_HEAD "\r\n\r\n\0\r\nQUIT\n\x21"

/* The two ends, in network order; of IPv4 the first 4 bytes of an address. */
struct ends {
	int family;
	unsigned char source[16], destination[16];
	in_port_t source_port, destination_port;
};

static void
set_ends(struct ends *ends, const struct load *load, const struct address *target, uint64_t number)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&target->socket;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&target->socket;
	uint64_t place = number + load->seed % GENERATORS * V4_APART;
	uint32_t words[4] = {htonl(0x20010002), htonl((uint32_t)place & 0xffff),
		htonl((uint32_t)(place >> 48)), htonl((uint32_t)(place >> 16))};

	memset(ends, 0, sizeof *ends);
	ends->family = target->socket.ss_family == AF_INET6 ? AF_INET6 : AF_INET;
	ends->source_port = htons((uint16_t)(PORT_FIRST + place / V4_COUNT % PORT_COUNT));
	if (ends->family == AF_INET6) {
		memcpy(ends->source, words, sizeof words);
		memcpy(ends->destination, &v6->sin6_addr, sizeof v6->sin6_addr);
		ends->destination_port = v6->sin6_port;
		return;
	}
	words[0] = htonl(V4_FIRST + (uint32_t)(place % V4_COUNT));
	memcpy(ends->source, words, sizeof words[0]);
	if (target->socket.ss_family == AF_INET) {
		memcpy(ends->destination, &v4->sin_addr, sizeof v4->sin_addr);
		ends->destination_port = v4->sin_port;
	} else {
		inet_pton(AF_INET, "192.0.2.1", ends->destination);
		ends->destination_port = htons(80);
	}
}

static size_t
write_v1(char *header, const struct ends *ends)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];

	inet_ntop(ends->family, ends->source, source, sizeof source);
	inet_ntop(ends->family, ends->destination, destination, sizeof destination);
	return (size_t)snprintf(header, PROXY_HEADER_SIZE, "PROXY TCP%d %s %s %u %u\r\n",
		ends->family == AF_INET6 ? 6 : 4, source, destination, ntohs(ends->source_port),
		ntohs(ends->destination_port));
}

static size_t
write_v2(char *header, const struct ends *ends)
{
	size_t size = ends->family == AF_INET6 ? 16 : 4, length = sizeof V2_HEAD - 1;
	const unsigned char rest[] = {
		ends->family == AF_INET6 ? 0x21 : 0x11, 0, (unsigned char)(2 * size + 4)};
	const struct {
		const void *bytes;
		size_t size;
	} parts[] = {{rest, sizeof rest}, {ends->source, size}, {ends->destination, size},
		{&ends->source_port, 2}, {&ends->destination_port, 2}};

	memcpy(header, V2_HEAD, length);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		memcpy(header + length, parts[i].bytes, parts[i].size);
		length += parts[i].size;
	}
	return length;
}

size_t
proxy_header_write(char header[static PROXY_HEADER_SIZE], const struct load *load,
	const struct address *target, uint64_t number)
{
	struct ends ends;

	if (load->proxy_header == LOAD_PROXY_OFF)
		return 0;
	set_ends(&ends, load, target, number);
	return load->proxy_header == LOAD_PROXY_V1 ? write_v1(header, &ends)
						   : write_v2(header, &ends);
}

int
proxy_header_send(const struct load *load, int fd, const struct address *target, uint64_t number)
{
	char header[PROXY_HEADER_SIZE];
	size_t length = proxy_header_write(header, load, target, number);

	return length == 0 || hub_send(fd, header, length, 0) == (ssize_t)length ? 0 : -1;
}
