#include "worker/client.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

Test(client, has_a_name_by_its_address)
{
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
	char name[CLIENT_NAME_SIZE];

	cr_expect_str_eq(client_name(&address, name), "unix");
	address.ss_family = AF_UNSPEC;
	cr_expect_str_eq(client_name(&address, name), "?");
	*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(65535)};
	inet_pton(AF_INET, "192.0.2.255", &v4->sin_addr);
	cr_expect_str_eq(client_name(&address, name), "192.0.2.255:65535");
	*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(1)};
	inet_pton(AF_INET6, "2001:db8::1", &v6->sin6_addr);
	cr_expect_str_eq(client_name(&address, name), "[2001:db8::1]:1");
	/* The longest. */
	v6->sin6_port = htons(65535);
	inet_pton(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &v6->sin6_addr);
	cr_expect_str_eq(
		client_name(&address, name), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
