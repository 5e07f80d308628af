#include "worker/proxy.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "master/start/network.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\x0a\0\0\x01\xc0\0\x02\x07\x1f\x90\0\x50" /* 10.0.0.1:8080 to 192.0.2.7:80 */

struct header {
	unsigned char bytes[512];
	size_t length;
};

static struct header
make(unsigned char command, unsigned char family, const void *rest, size_t length)
{
	struct header header = {.length = PROXY_HEAD_SIZE + length};

	memcpy(header.bytes, SIGNATURE, 12);
	header.bytes[12] = command;
	header.bytes[13] = family;
	header.bytes[14] = (unsigned char)(length >> 8);
	header.bytes[15] = (unsigned char)length;
	memcpy(header.bytes + PROXY_HEAD_SIZE, rest, length);
	return header;
}

static void
accepted(struct header header, int family, const char *expected, unsigned port)
{
	struct sockaddr_storage client;
	const char *why = NULL;
	char host[INET6_ADDRSTRLEN] = "";

	cr_assert(proxy_parse(header.bytes, header.length, &client, &why), "%s", why);
	cr_assert_eq(client.ss_family, family);
	if (family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&client;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
		cr_assert_eq(ntohs(v4->sin_port), port);
	} else if (family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&client;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
		cr_assert_eq(ntohs(v6->sin6_port), port);
	} else if (family == AF_UNIX) {
		cr_assert_str_eq(((const struct sockaddr_un *)&client)->sun_path, expected);
		return;
	}
	cr_assert_str_eq(host, expected);
}

static void
refused(struct header header, const char *phrase)
{
	struct sockaddr_storage client;
	const char *why = "";

	cr_assert_not(proxy_parse(header.bytes, header.length, &client, &why), "%s", phrase);
	cr_assert_not_null(strstr(why, phrase), "%s", why);
}

Test(proxy, tells_the_client)
{
	unsigned char v6[36] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7, [32] = 0x1f, 0x90, 0, 80};
	unsigned char path[216] = "/run/client";

	accepted(make(0x21, 0x11, V4, 12), AF_INET, "10.0.0.1", 8080);
	accepted(make(0x21, 0x12, V4, 12), AF_INET, "10.0.0.1", 8080);
	accepted(make(0x21, 0x21, v6, 36), AF_INET6, "2001:db8::7", 8080);
	accepted(make(0x21, 0x31, path, 216), AF_UNIX, "/run/client", 0);
	accepted(make(0x21, 0x00, "", 0), AF_UNSPEC, "", 0);
	accepted(make(0x21, 0x00, "whatever", 8), AF_UNSPEC, "", 0);
}

Test(proxy, its_own_connections_have_no_client)
{
	accepted(make(0x20, 0x00, "", 0), AF_UNSPEC, "", 0);
	accepted(make(0x20, 0x11, V4, 12), AF_UNSPEC, "", 0);
	accepted(make(0x20, 0x77, "??", 2), AF_UNSPEC, "", 0);
}

Test(proxy, values_are_skipped_and_must_be_whole)
{
	accepted(make(0x21, 0x11, V4 "\x02\0\x04host\x04\0\0", 22), AF_INET, "10.0.0.1", 8080);
	refused(make(0x21, 0x11, V4 "\x02\0", 14), "cut off");
	refused(make(0x21, 0x11, V4 "\x02\0\x09host", 19), "longer than the header");
}

Test(proxy, a_checksum_is_checked)
{
	/* CRC-32C, here bit by bit from the low end. */
	struct header header = make(0x21, 0x11, V4 "\x03\0\x04\0\0\0", 19);
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < header.length; i++)
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ ((sum ^ header.bytes[i] >> bit) & 1 ? 0x82F63B78u : 0);
	sum = htonl(~sum);
	refused(header, "checksum");
	memcpy(header.bytes + header.length - 4, &sum, 4);
	accepted(header, AF_INET, "10.0.0.1", 8080);
	header.bytes[17] ^= 1;
	refused(header, "checksum");
}

/* Each costs a pass over the header: 9,000 in 64 KiB held a hub for 6.6 s. */
Test(proxy, has_one_checksum_at_most)
{
	refused(make(0x21, 0x11, V4 "\x03\0\x04\0\0\0\0\x03\0\x04\0\0\0\0", 26),
		"more than one checksum");
	refused(make(0x21, 0x11, V4 "\x03\0\x05\0\0\0\0\0", 20), "not of 4 bytes");
	refused(make(0x21, 0x11, V4 "\x03\0\0", 15), "not of 4 bytes");
}

Test(proxy, what_is_none)
{
	struct header header = make(0x21, 0x11, V4, 12);

	refused(make(0x21, 0x11, V4, 11), "not whole");
	refused(make(0x21, 0x21, V4, 12), "not whole");
	refused(make(0x21, 0x31, V4, 12), "not whole");
	refused(make(0x21, 0x13, V4, 12), "not known");
	refused(make(0x22, 0x11, V4, 12), "version or command");
	refused(make(0x11, 0x11, V4, 12), "version or command");
	header.length = 15;
	refused(header, "too short");
	header.length = 28;
	memcpy(header.bytes, "GET / HTTP/1.1\r\n", 16);
	refused(header, "does not begin");
}

static bool
trusted(const char *address, const char *network)
{
	struct sockaddr_storage storage = {.ss_family = AF_INET};
	struct worker_network own;

	cr_assert(network_parse(network, &own), "%s", network);
	if (inet_pton(AF_INET, address, &((struct sockaddr_in *)&storage)->sin_addr) != 1) {
		storage.ss_family = AF_INET6;
		cr_assert_eq(
			inet_pton(AF_INET6, address, &((struct sockaddr_in6 *)&storage)->sin6_addr),
			1);
	}
	return proxy_is_trusted(&storage, &own, 1);
}

Test(proxy, who_is_trusted)
{
	cr_assert(trusted("127.0.0.1", "127.0.0.0/8"));
	cr_assert(trusted("10.1.2.3", "10.1.2.3"));
	cr_assert_not(trusted("10.1.2.4", "10.1.2.3"));
	cr_assert(trusted("10.1.2.3", "0.0.0.0/0"));
	cr_assert(trusted("192.168.5.129", "192.168.5.128/25"));
	cr_assert_not(trusted("192.168.5.127", "192.168.5.128/25"));
	cr_assert(trusted("2001:db8::1", "2001:db8::/32"));
	cr_assert_not(trusted("2001:db9::1", "2001:db8::/32"));
	cr_assert_not(trusted("2001:db8::1", "0.0.0.0/0"));
	cr_assert(trusted("::ffff:10.1.2.3", "10.0.0.0/8"), "v4 by a socket of both");
	cr_assert(trusted("::1", "::/0"));
}
