/* PROXY headers from a hostile proxy, for libFuzzer. The first byte says how much of the header is
 * made valid before it is parsed, so that the parser gets beyond its first checks. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/proxy.h"
#include "worker/proxy_v1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line that is right has one end, at its end, and names its client in one way alone: written
 * again, an IPv4 client and its port stand in the line. */
static void
check_line(const unsigned char *line, size_t length, const struct sockaddr_storage *client)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)client;
	char address[INET_ADDRSTRLEN], expected[PROXY_V1_MOST], port[8];
	int size;

	if (length > PROXY_V1_MOST || memchr(line, '\n', length) != line + length - 1)
		abort();
	if (client->ss_family != AF_INET)
		return;
	inet_ntop(AF_INET, &v4->sin_addr, address, sizeof address);
	size = snprintf(expected, sizeof expected, "PROXY TCP4 %s ", address);
	snprintf(port, sizeof port, " %u ", ntohs(v4->sin_port));
	if (memcmp(line, expected, (size_t)size) != 0 ||
		memmem(line + size, length - (size_t)size, port, strlen(port)) == NULL)
		abort();
}

static void
check(const unsigned char *header, size_t length)
{
	struct sockaddr_storage client;
	const char *why = "unset";

	if (length >= PROXY_HEAD_SIZE && proxy_parse_head(header, &why) > 65535)
		abort();
	if (proxy_parse(header, length, &client, &why)) {
		if (proxy_v1_is_begun(header, length))
			check_line(header, length, &client);
		if (client.ss_family != AF_UNSPEC && client.ss_family != AF_INET &&
			client.ss_family != AF_INET6 && client.ss_family != AF_UNIX)
			abort();
	} else if (why == NULL || strlen(why) == 0) {
		abort();
	}
}

/* Makes it the beginning and the end of a line of version 1. */
static void
make_line(unsigned char *header, size_t length, unsigned how)
{
	memcpy(header,
		how & 16   ? "PROXY TCP6 "
		: how & 32 ? "PROXY UNKNOWN"
			   : "PROXY TCP4 ",
		how & 16   ? 11
		: how & 32 ? 13
			   : 11);
	if (length >= 15 && !(how & 64))
		memcpy(header + length - 2, "\r\n", 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An allocation of the exact size, so that AddressSanitizer sees a read beyond the end. */
	unsigned char *header;
	size_t length = size > 0 ? size - 1 : 0;

	if (size == 0 || length > 65535)
		return 0;
	header = malloc(length + 1);
	if (header == NULL)
		return 0;
	memcpy(header, data + 1, length);
	if (data[0] & 1 && length >= 12)
		memcpy(header, "\r\n\r\n\0\r\nQUIT\n", 12);
	if (data[0] & 2 && length >= PROXY_HEAD_SIZE) {
		header[12] = data[0] & 4 ? 0x20 : 0x21;
		header[14] = (unsigned char)((length - PROXY_HEAD_SIZE) >> 8);
		header[15] = (unsigned char)(length - PROXY_HEAD_SIZE);
	}
	if (data[0] & 8 && length >= 13)
		make_line(header, length, data[0]);
	header = realloc(header, length > 0 ? length : 1);
	check(header, length);
	free(header);
	return 0;
}
