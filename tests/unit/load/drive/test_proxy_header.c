#include "tests/load/drive/proxy_header.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "worker/proxy.h"

static struct load load;

/* The client that a header names, as worker/proxy.c understands it. */
static struct sockaddr_storage
client_of(const char *target, enum load_proxy version, uint64_t number)
{
	struct address addresses[ADDRESSES_MAX];
	struct sockaddr_storage client;
	const char *why = NULL;
	char header[PROXY_HEADER_SIZE];
	size_t length;

	load.proxy_header = version;
	cr_assert_eq(address_parse(target, addresses, &why), 1, "%s", why);
	length = proxy_header_write(header, &load, &addresses[0], number);
	cr_assert(proxy_parse((const unsigned char *)header, length, &client, &why), "%s", why);
	return client;
}

static const char *
named(const char *target, enum load_proxy version, uint64_t number)
{
	static char text[INET6_ADDRSTRLEN + 8];
	char host[INET6_ADDRSTRLEN];
	struct sockaddr_storage client = client_of(target, version, number);
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&client;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&client;
	bool is_v6 = client.ss_family == AF_INET6;

	inet_ntop(client.ss_family,
		is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, host,
		sizeof host);
	snprintf(text, sizeof text, "%s %u", host, ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
	return text;
}

Test(proxy_header, each_client_has_an_address_of_its_own)
{
	for (enum load_proxy version = LOAD_PROXY_V1; version < LOAD_PROXY_MAX; version++) {
		load.seed = 0;
		cr_assert_str_eq(named("127.0.0.1:80", version, 0), "198.18.0.1 1024");
		cr_assert_str_eq(named("127.0.0.1:80", version, 131069), "198.19.255.254 1024");
		cr_assert_str_eq(named("127.0.0.1:80", version, 131070), "198.18.0.1 1025");
		cr_assert_str_eq(named("unix:/run/a.sock", version, 7), "198.18.0.8 1024");
		/* Each has another network of 64 bits. */
		cr_assert_str_eq(named("[::1]:80", version, 7), "2001:2:0:7:: 1024");
		cr_assert_str_eq(named("[::1]:80", version, 65543), "2001:2:0:7::1 1024");
		load.seed = 1;
		cr_assert_str_eq(named("127.0.0.1:80", version, 0), "198.18.32.0 1024");
	}
}

Test(proxy_header, the_longest_has_room)
{
	const char *text = named(
		"[2001:db8:1111:2222:3333:4444:5555:6666]:65535", LOAD_PROXY_V1, UINT64_MAX / 2);

	cr_assert_eq(strncmp(text, "2001:2:0:ffff:0:7fff:ffff:ffff ", 31), 0, "%s", text);
}

Test(proxy_header, none_is_sent_unless_asked_for)
{
	struct address target = {.kind = ADDRESS_UNIX};
	char header[PROXY_HEADER_SIZE];

	load.proxy_header = LOAD_PROXY_OFF;
	cr_assert_eq(proxy_header_write(header, &load, &target, 0), 0);
	cr_assert_eq(proxy_header_send(&load, -1, &target, 0), 0);
}
