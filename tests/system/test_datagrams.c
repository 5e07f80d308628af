/* Datagrams: through changes and deaths, on one hub for each peer, and never in a loop. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
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

TestSuite(datagrams, .fini = end, .timeout = 600);

/* A reply is counted after it was sent. */
static bool
each_is_answered(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.replies") ==
	       server_number(&server, "totals.datagrams");
}

Test(datagrams, are_answered_through_every_change)
{
	char target[64];

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--listen=udp:127.0.0.1:0", NULL));
	snprintf(target, sizeof target, "udp:127.0.0.1:%d", server_port(&server, "udp:127.0.0.1:"));
	/* A socket must hold what comes while its hub does not get the CPU, which under a sanitizer
	 * may be for more than a second. */
	cr_assert(loader_start(&loader, 0, program_is_sanitized() ? "-R300" : "-R3000", "-d", "6",
		"--size=24-1400", target, NULL));
	cr_assert(loader_lasts(&loader, 1));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "scale", "3x1", NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "scale", "1x2", NULL, 0), 0);
	cr_assert_eq(loader_wait(&loader, 30), 0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "load.lost"), 0);
	cr_assert_geq(
		server_number(&server, "totals.datagrams"), program_is_sanitized() ? 1800 : 18000);
	cr_assert(wait_until(each_is_answered, NULL, 10));
}

/* Returns how many hubs have received datagrams. */
static int
hubs_with_datagrams(void)
{
	int code, hubs = 0;
	char *metrics = server_get(&server, "/metrics", &code), *at = metrics;
	const char name[] = "\nhubbub_datagrams_total{";

	while (at != NULL && (at = strstr(at, name)) != NULL) {
		at = strchr(at + 1, '}');
		hubs += atof(at + 1) > 0;
	}
	free(metrics);
	return hubs;
}

Test(datagrams, of_a_peer_stay_on_a_hub)
{
	char big[60000], reply[65536];
	int port, fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	fd = client_connect_udp(port);
	for (int i = 0; i < 100; i++)
		cr_assert(client_exchange(fd, "hello", "HELLO"));
	cr_assert_eq(hubs_with_datagrams(), 1);
	/* An empty datagram is answered, too, and one of the largest size. */
	cr_assert_eq(send(fd, "", 0, 0), 0);
	cr_assert_eq(recv(fd, reply, sizeof reply, 0), 0);
	memset(big, 'x', sizeof big);
	cr_assert_eq(send(fd, big, sizeof big, 0), (ssize_t)sizeof big);
	cr_assert_eq(recv(fd, reply, sizeof reply, 0), (ssize_t)sizeof big);
	cr_assert_eq(memchr(reply, 'x', sizeof big), NULL);
	cr_assert_eq(reply[sizeof big - 1], 'X');
	close(fd);
	for (int i = 0; i < 64; i++) {
		fd = client_connect_udp(port);
		cr_assert(client_exchange(fd, "hello", "HELLO"));
		close(fd);
	}
	cr_assert_eq(hubs_with_datagrams(), 4);
}

/* A reply is counted after it was sent. */
static bool
one_of_two_is_answered(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.datagrams") == 2 &&
	       server_number(&server, "totals.replies") == 1;
}

/* A datagram with the service's own address as its sender is not answered: that would never end. */
Test(datagrams, of_its_own_are_not_answered)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	int port, fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own.sin_port = htons((in_port_t)port);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(sendto(fd, "hello", 5, 0, (struct sockaddr *)&own, sizeof own), 5);
	close(fd);
	fd = client_connect_udp(port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
	cr_assert(wait_until(one_of_two_is_answered, NULL, 10));
}

Test(datagrams, of_a_dead_hub_go_elsewhere)
{
	int port, fd, answered = 0;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	for (int round = 0; round < 4; round++) {
		server_signal_worker(&server, (unsigned)round % 2, SIGKILL);
		for (int i = 0; i < 32; i++) {
			fd = client_connect_udp(port);
			answered += client_exchange(fd, "hello", "HELLO");
			close(fd);
		}
	}
	/* Queued clients wait for the new worker. */
	cr_assert_eq(answered, 128);
}

Test(datagrams, are_refused_by_a_service_without_an_answer)
{
	struct program other;
	char *argv[] = {program_path("naughty"), "--listen=udp:127.0.0.1:0", NULL};

	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "does not answer datagrams"), "%s", other.text);
	program_end(&other);
}
