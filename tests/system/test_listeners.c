/* Addresses of servers: strangers that hold their locks, addresses that are in each other's way,
 * both families. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/loader.h"
#include "tests/support/server.h"

static struct server server;
static struct loader loader;

static void
end(void)
{
	loader_clean(&loader);
	server_clean(&server);
}

TestSuite(listeners, .fini = end, .timeout = 600);

/* A user who may not have the port cannot keep the server from it by locking names that the server
 * locks. */
Test(listeners, a_strangers_locks_keep_nobody_from_starting)
{
	static char squat[] = "import os, socket, sys, time\n"
			      "os.setuid(65534)\n"
			      "held = []\n"
			      "for name in sys.argv[1:]:\n"
			      "    held.append(socket.socket(socket.AF_UNIX))\n"
			      "    held[-1].bind('\\0hubbub-lock/' + name)\n"
			      "    held[-1].listen(1)\n"
			      "print('squats', flush=True)\n"
			      "time.sleep(600)\n";
	int port = server_lasting_port();
	char name[64], starting[64], listen[64];
	char *argv[] = {"/usr/bin/python3", "-c", squat, name, starting, NULL};
	char *serve[] = {program_path("hubbub-echo"), listen, "-p1", "-t1", NULL};
	struct program stranger, first, second;

	if (geteuid() != 0 || access(argv[0], X_OK) != 0)
		cr_skip("needs root and python3");
	snprintf(name, sizeof name, "127.0.0.1:%d", port);
	snprintf(starting, sizeof starting, "starting/%d", port);
	cr_assert(program_start(&stranger, argv, 0));
	cr_assert(program_expect(&stranger, "squats", 20), "%s", stranger.text);
	snprintf(listen, sizeof listen, "--listen=127.0.0.1:%d", port);
	cr_assert(program_start(&first, serve, 0));
	cr_assert(program_expect(&first, ", pid ", 20), "%s", first.text);
	cr_assert_not_null(
		strstr(first.text, "of user 65534 holds the lock on 127.0.0.1"), "%s", first.text);
	cr_assert(program_start(&second, serve, 0));
	cr_assert_eq(program_wait(&second, 20), 1, "%s", second.text);
	cr_assert_not_null(strstr(second.text, "another hubbub server has it"), "%s", second.text);
	program_end(&second);
	cr_assert_eq(program_stop(&first, SIGTERM, 20), 0, "%s", first.text);
	program_end(&first);
	program_end(&stranger);
}

Test(listeners, addresses_that_are_in_each_others_way)
{
	static const char *const wrong[][3] = {
		{"--listen=127.0.0.1:19090", "--agent=127.0.0.1:19090", "--agent and --listen"},
		{"--listen=:19090", "--admin=127.0.0.1:19090", "--admin and --listen"},
		{"--admin=127.0.0.1:19090", "--agent=127.0.0.1:19090", "--admin and --agent"},
		{"--listen=unix:/tmp/c", "--control=/tmp/c", "--control and --listen"},
		{"--listen=udp:127.0.0.1:0", "--proxy-protocol=on",
			"needs --listen for TCP or unix:"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char *argv[] = {program_path("hubbub-echo"), (char *)(uintptr_t)wrong[i][0],
			(char *)(uintptr_t)wrong[i][1], "--check", NULL};
		struct program other;

		cr_assert(program_start(&other, argv, 0));
		cr_assert_eq(program_wait(&other, 20), 2, "%s", wrong[i][2]);
		cr_assert_not_null(strstr(other.text, wrong[i][2]), "%s", other.text);
		program_end(&other);
	}
}

static bool
has_v6(void)
{
	struct sockaddr_in6 loopback = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd != -1 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;

	close(fd);
	return has;
}

Test(listeners, one_address_for_both_families)
{
	if (!has_v6())
		cr_skip_test("this machine has no IPv6");
	cr_assert(server_start(
		&server, "hubbub-echo", "2", "1", "--listen=:0", "--listen=udp::0", NULL));
	for (int family = 0; family < 2; family++) {
		const char *host = family == 0 ? "127.0.0.1" : "[::1]";
		char stream[64], datagrams[64];

		snprintf(stream, sizeof stream, "%s:%d", host, server_port(&server, ", :"));
		snprintf(datagrams, sizeof datagrams, "udp:%s:%d", host,
			server_port(&server, "udp::"));
		cr_assert_eq(loader_run(&loader, 0, "-n", "2000", "-c", "8", stream, NULL), 0, "%s",
			loader.program.text);
		cr_assert_eq(loader_run(&loader, 0, "-n", "2000", "-c", "8", datagrams, NULL), 0,
			"%s", loader.program.text);
		cr_assert_eq(loader_number(&loader, "load.messages"), 2000);
	}
}
