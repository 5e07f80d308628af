#include "master/sockets/address.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static void
round_trip(const char *text, const char *expected)
{
	struct address addresses[ADDRESSES_MAX];
	char written[ADDRESS_TEXT_SIZE];
	const char *why;

	cr_assert_eq(address_parse(text, addresses, &why), 1, "%s: %s", text, why);
	address_format(&addresses[0], written);
	cr_assert_str_eq(written, expected);
}

Test(address, parses_what_operators_write)
{
	round_trip("127.0.0.1:9090", "127.0.0.1:9090");
	round_trip("0.0.0.0:80", "0.0.0.0:80");
	round_trip("[::1]:9090", "[::1]:9090");
	round_trip("[2001:db8::7]:65535", "[2001:db8::7]:65535");
	round_trip(":0", ":0");
	round_trip(":9090", ":9090");
	round_trip("udp:127.0.0.1:53", "udp:127.0.0.1:53");
	round_trip("udp::53", "udp::53");
	round_trip("udp:[::1]:53", "udp:[::1]:53");
	round_trip("unix:/run/echo.sock", "unix:/run/echo.sock");
	round_trip("unix:./a:b", "unix:./a:b");
}

/* A '=' in a path, or behind any ':', names nobody. */
Test(address, a_listeners_name_stands_before_a_sign_that_comes_before_any_colon)
{
	static const struct {
		const char *text, *listener, *rest; /* listener NULL: refused */
	} cases[] = {
		{"127.0.0.1:1", "", "127.0.0.1:1"},
		{"unix:/a=b", "", "unix:/a=b"},
		{"udp:host:1", "", "udp:host:1"},
		{"[::1]:1", "", "[::1]:1"},
		{":1", "", ":1"},
		{"a=:1", "a", ":1"},
		{"admin=unix:/a=b", "admin", "unix:/a=b"},
		{"a-b_9=udp:[::1]:1", "a-b_9", "udp:[::1]:1"},
		{"a=b=:1", "a", "b=:1"},
		{"abcdefghijklmnopqrstuvwxyz01234=:1", "abcdefghijklmnopqrstuvwxyz01234", ":1"},
		{"abcdefghijklmnopqrstuvwxyz012345=:1", NULL, NULL},
		{"=:1", NULL, NULL},
		{"9=:1", NULL, NULL},
		{"-a=:1", NULL, NULL},
		{"Admin=:1", NULL, NULL},
		{"a/b=:1", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *rest = cases[i].text;
		char listener[ADDRESS_LISTENER_SIZE];
		bool is_right = address_take_listener(&rest, listener);

		cr_assert_eq(is_right, cases[i].listener != NULL, "%s", cases[i].text);
		if (!is_right)
			continue;
		cr_assert_str_eq(listener, cases[i].listener, "%s", cases[i].text);
		cr_assert_str_eq(rest, cases[i].rest, "%s", cases[i].text);
	}
}

Test(address, is_written_with_its_listeners_name)
{
	struct address addresses[ADDRESSES_MAX];
	char text[ADDRESS_LISTENED_SIZE];
	const char *why;

	cr_assert_eq(address_parse("unix:/a", addresses, &why), 1);
	address_format_listened(addresses, text);
	cr_assert_str_eq(text, "unix:/a");
	strcpy(addresses->listener, "admin");
	address_format_listened(addresses, text);
	cr_assert_str_eq(text, "admin=unix:/a");
}

/* Another listener would serve its clients by another function. */
Test(address, a_former_masters_with_another_listener_is_not_meant)
{
	struct address own[ADDRESSES_MAX], former;
	const char *why;

	cr_assert_eq(address_parse("unix:/a", own, &why), 1);
	former = own[0];
	cr_assert(addresses_are_meant(own, 1, &former, 1));
	strcpy(former.listener, "admin");
	cr_assert_not(addresses_are_meant(own, 1, &former, 1));
	strcpy(own[0].listener, "admin");
	cr_assert(addresses_are_meant(own, 1, &former, 1));
}

Test(address, kinds)
{
	struct address addresses[ADDRESSES_MAX], *address = &addresses[0];
	const char *why;

	cr_assert_eq(address_parse("udp:127.0.0.1:0", addresses, &why), 1);
	cr_assert_eq(address->kind, ADDRESS_UDP);
	cr_assert(address_is_open(address));
	cr_assert_eq(address_parse("unix:/tmp/a", addresses, &why), 1);
	cr_assert_eq(address->kind, ADDRESS_UNIX);
	cr_assert_not(address_is_open(address));
	cr_assert_eq(address_port(address), 0);
	cr_assert_str_eq(address_path(address), "/tmp/a");
}

static void
refused(const char *text, const char *phrase)
{
	struct address addresses[ADDRESSES_MAX];
	const char *why = NULL;

	cr_assert_eq(address_parse(text, addresses, &why), 0, "%s is accepted", text);
	cr_assert_not_null(strstr(why, phrase), "%s: %s", text, why);
}

Test(address, says_what_is_wrong)
{
	refused("9090", "has no port");
	refused("127.0.0.1", "has no port");
	refused("127.0.0.1:", "no valid port");
	refused("127.0.0.1:65536", "no valid port");
	refused("127.0.0.1:-1", "no valid port");
	refused("127.0.0.1:9090x", "no valid port");
	refused("::1:9090", "brackets");
	refused("udp:9090", "has no port");
	refused("unix:", "no path");
	refused("unix:/a/path/of/more/than/a/hundred/and/seven/bytes/which/is/what/the/kernel/"
		"allows/for/a/socket/in/the/file/system",
		"too long");
	refused("http://127.0.0.1:80", "URL");
	refused("no.such.host.invalid:1", "");
}

/* The addresses that a new master's options mean, and those of the former master's sockets. */
static bool
are_meant(const char *options, const char *former)
{
	struct address wanted[ADDRESSES_MAX], there[ADDRESSES_MAX];
	const char *why;
	size_t count = address_parse(options, wanted, &why);

	return addresses_are_meant(wanted, count, there, address_parse(former, there, &why));
}

Test(address, of_a_former_master_are_those_that_are_meant)
{
	struct address wanted[ADDRESSES_MAX], there[ADDRESSES_MAX];
	const char *why;

	cr_assert(are_meant("127.0.0.1:9090", "127.0.0.1:9090"));
	cr_assert(are_meant("127.0.0.1:0", "127.0.0.1:9090"), "what the kernel chose");
	cr_assert_not(are_meant("127.0.0.1:9090", "127.0.0.1:9091"));
	cr_assert_not(are_meant("127.0.0.1:9090", "udp:127.0.0.1:9090"));
	cr_assert_eq(address_parse("[::1]:9090", there, &why), 1);
	cr_assert_eq(address_parse("127.0.0.1:9090", wanted, &why), 1);
	wanted[1] = there[0];
	there[1] = wanted[0];
	cr_assert(addresses_are_meant(wanted, 2, there, 2), "in any order");
	cr_assert_not(addresses_are_meant(wanted, 2, there, 1));
	wanted[0].is_alternative = true;
	cr_assert(addresses_are_meant(wanted, 2, there, 1), "the machine does not have it");
	cr_assert_not(addresses_are_meant(wanted, 1, there, 2));
}
