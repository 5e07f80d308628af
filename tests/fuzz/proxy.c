/* PROXY headers from a hostile proxy, for libFuzzer. The first byte says how much of the header is
 * made valid before it is parsed, so that the parser gets beyond its first checks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const unsigned char *header, size_t length)
{
	struct sockaddr_storage client;
	const char *why = "unset";

	if (length >= PROXY_HEAD_SIZE && proxy_parse_head(header, &why) > 65535)
		abort();
	if (proxy_parse(header, length, &client, &why)) {
		if (client.ss_family != AF_UNSPEC && client.ss_family != AF_INET &&
			client.ss_family != AF_INET6 && client.ss_family != AF_UNIX)
			abort();
	} else if (why == NULL || strlen(why) == 0) {
		abort();
	}
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
	header = realloc(header, length > 0 ? length : 1);
	check(header, length);
	free(header);
	return 0;
}
