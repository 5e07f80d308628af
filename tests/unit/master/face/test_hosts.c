#include "master/face/hosts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "master/start/options.h"

Test(hosts, addresses_in_numbers_and_localhost_are_local)
{
	static const char *const local[] = {"127.0.0.1", "127.0.0.1:9091", "10.1.2.3:80", "[::1]",
		"[::1]:9091", "[fe80::1]", "localhost", "localhost:9091", "LocalHost:1",
		"0.0.0.0:"};
	static const char *const others[] = {"", ":9091", "localhost.evil.example",
		"127.0.0.1.evil.example", "127.0.0.1.evil.example:9091",
		"localhost:9091.evil.example", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.256",
		"::1", "[::1", "[::1].evil.example", "[localhost]", "[127.0.0.1]", "[]",
		"evil.localhost", "localhost.", "localhost ", " localhost",
		"localhost@evil.example", "127.0.0.1:90:91", "127.0.0.1:x"};
	char endless[4096];

	for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
		cr_assert(hosts_is_local(local[i]), "%s", local[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		cr_assert_not(hosts_is_local(others[i]), "%s", others[i]);
	memset(endless, '1', sizeof endless);
	endless[sizeof endless - 1] = '\0';
	cr_assert_not(hosts_is_local(endless));
}

Test(hosts, names_are_compared_whole)
{
	struct options options = {.admin = "admin.example:9091",
		.admin_host = {
			.items = {"hubbub.monitoring.svc", "proxy.example:443"}, .count = 2}};
	static const char *const own[] = {"hubbub.monitoring.svc", "Hubbub.Monitoring.Svc:9091",
		"proxy.example", "proxy.example:9091", "admin.example", "admin.example:80",
		"localhost:1", "[::1]:2", "10.0.0.1"};
	static const char *const others[] = {"monitoring.svc", "hubbub.monitoring.svc.evil.example",
		"evil.hubbub.monitoring.svc", "hubbub", "admin.example.evil.example", "admin", "",
		"[admin.example]", "evil.example"};
	char machine[300], longer[400];

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		cr_assert(hosts_is_own(own[i], &options), "%s", own[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		cr_assert_not(hosts_is_own(others[i], &options), "%s", others[i]);
	cr_assert_eq(gethostname(machine, sizeof machine), 0);
	cr_assert(hosts_is_own(machine, &options), "%s", machine);
	snprintf(longer, sizeof longer, "%s.evil.example", machine);
	cr_assert_not(hosts_is_own(longer, &options), "%s", longer);
}

Test(hosts, an_address_that_is_all_of_the_machines_has_no_name)
{
	struct options options = {.admin = ":9091"};

	cr_assert_not(hosts_is_own("", &options));
	cr_assert_not(hosts_is_own(":9091", &options));
	cr_assert_not(hosts_is_own("evil.example:9091", &options));
	cr_assert(hosts_is_own("127.0.0.1:9091", &options));
}

Test(hosts, a_page_of_this_server_has_its_host_and_port)
{
	static const struct {
		const char *origin, *host;
		bool is_same;
	} cases[] = {{"http://127.0.0.1:9091", "127.0.0.1:9091", true},
		{"https://hubbub.example", "Hubbub.example", true},
		{"http://127.0.0.1", "127.0.0.1:9091", false},
		{"http://127.0.0.1:9091.evil.example", "127.0.0.1:9091", false},
		{"http://evil.example", "127.0.0.1:9091", false}, {"null", "null", false},
		{"", "", false}, {"ftp://x", "x", false}, {"http://", "x", false}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_assert_eq(hosts_is_same(cases[i].origin, cases[i].host), cases[i].is_same, "%s",
			cases[i].origin);
}
