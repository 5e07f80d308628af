#include "master/start/network.h"

#include <criterion/criterion.h>

Test(network, parses_what_operators_write)
{
	struct worker_network network;

	cr_assert(network_parse("10.0.0.0/8", &network));
	cr_assert_eq(network.family, AF_INET);
	cr_assert_eq(network.bits, 8);
	cr_assert_eq(*network.bytes, 10);
	cr_assert(network_parse("192.0.2.1", &network));
	cr_assert_eq(network.bits, 32);
	cr_assert(network_parse("2001:db8::/32", &network));
	cr_assert_eq(network.family, AF_INET6);
	cr_assert(network_parse("::1", &network));
	cr_assert_eq(network.bits, 128);
	cr_assert(network_parse("0.0.0.0/0", &network));
}

Test(network, refuses_the_rest)
{
	static const char *const wrong[] = {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8",
		"::/129", "host", "10.0.0.0/-1", "10.0.0.0/8x", "[::1]"};
	struct worker_network network;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not(network_parse(wrong[i], &network), "%s", wrong[i]);
}
