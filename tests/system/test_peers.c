/* What peers do besides using the service: balancers and port scanners connect and leave, unknown
 * senders come among proxies, and servers answer answers. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/server.h"

#define LOCAL_HEADER "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
#define CHECKS 40
#define AT_ONCE 40 /* pings */

static struct server server, other;
static struct certificate certificate;

static void
end(void)
{
	server_clean(&server);
	server_clean(&other);
	certificate_clean(&certificate);
}

TestSuite(peers, .fini = end, .timeout = 600);

/* A health check: sends its bytes and closes, by a reset or gracefully. */
static void
check_health(const char *bytes, size_t length, bool by_reset)
{
	int fd = client_connect(server.program.port);

	cr_assert_geq(fd, 0);
	cr_assert_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
	if (by_reset)
		client_reset(fd);
	else
		close(fd);
}

/* A connection is counted as accepted first, then, perhaps by another hub, as opened. Only what is
 * counted as closed is over: until then one may be on its way between the two. */
static bool
have_closed(void *count)
{
	return server_number(&server, "totals.closed") == *(const long *)count;
}

static bool
are_refused(void *count)
{
	return server_number(&server, "totals.refused") == *(const long *)count;
}

/* Asserts that count connections have ended, of which early left early, and that none was
 * refused. */
static void
assert_none_refused(long count, long early)
{
	long left;

	cr_assert(wait_until(have_closed, &count, 20));
	left = server_number(&server, "totals.left_early");
	cr_assert_eq(left, early, "%ld left early, not %ld", left, early);
	cr_assert_eq(server_number(&server, "totals.accepts"), count);
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_null(strstr(server.program.text, "refused"), "%s", server.program.text);
}

Test(peers, health_checks_of_a_proxy_are_not_refused)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--proxy-protocol=on",
		"--proxy-from=127.0.0.1", NULL));
	for (int i = 0; i < CHECKS; i++) {
		check_health(LOCAL_HEADER, 16, true);
		check_health("", 0, true);
		check_health("", 0, false);
		/* Breaks off within the header. */
		check_health(LOCAL_HEADER, 7, true);
	}
	assert_none_refused(4 * CHECKS, 3 * CHECKS);
}

Test(peers, health_checks_of_tls_without_a_handshake_are_not_refused)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "hubbub-echo", "1", "2", certificate.cert_option,
		certificate.key_option, NULL));
	for (int i = 0; i < CHECKS; i++) {
		check_health("", 0, true);
		check_health("", 0, false);
	}
	assert_none_refused(2 * CHECKS, 2 * CHECKS);
}

/* A wrong header is logged, however the proxy ends the connection. */
Test(peers, a_wrong_header_is_refused_though_its_sender_has_left)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--proxy-protocol=on", NULL));
	check_health("PROXY TCP4 192.0.2.7 192.0.2.1 8080 080\r\n", 41, true);
	cr_assert(program_expect(&server.program, "is not as the protocol says", 10), "%s",
		server.program.text);
	/* Half a header, and a graceful end. */
	check_health(LOCAL_HEADER, 7, false);
	cr_assert(wait_until(have_closed, &(long){2}, 20));
	cr_assert_eq(server_number(&server, "totals.refused"), 2);
	cr_assert_eq(server_number(&server, "totals.left_early"), 0);
}

/* Its address is logged, though the kernel has forgotten it, and its permit is free for the next
 * client. */
Test(peers, a_stranger_that_resets_is_named)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--proxy-protocol=on",
		"--proxy-from=10.0.0.0/8", "--max-connections=4", NULL));
	for (int i = 0; i < CHECKS; i++)
		check_health(LOCAL_HEADER, 16, true);
	cr_assert(program_expect(&server.program, "refused a client at 127.0.0.1:", 10), "%s",
		server.program.text);
	cr_assert(wait_until(are_refused, &(long){CHECKS}, 20));
}

/* ---- answers to answers ---- */

/* Sends a datagram from another server's port of loopback. Returns whether that was permitted. */
static bool
forge(int from, int to, const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	size_t length = strlen(text);
	struct {
		uint16_t from, to, length, checksum;
		char text[64];
	} packet = {
		htons((uint16_t)from), htons((uint16_t)to), htons((uint16_t)(8 + length)), 0, ""};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	if (fd == -1)
		return false;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(packet.text, text, length);
	cr_assert_eq(
		sendto(fd, &packet, 8 + length, 0, (struct sockaddr *)&address, sizeof address),
		(ssize_t)(8 + length));
	close(fd);
	return true;
}

/* An answer is counted after it was sent. */
static bool
one_of_two_is_answered(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.datagrams") == 2 &&
	       server_number(&server, "totals.replies") == 1;
}

struct sight {
	long datagrams;
	int64_t since;
};

/* How many answers the two servers have not sent. */
static long
unanswered(void)
{
	return server_number(&server, "totals.unanswered") +
	       server_number(&other, "totals.unanswered");
}

/* Whether the server has left some unanswered, and has received nothing for a second. */
static bool
is_quiet(void *context)
{
	struct sight *sight = context;
	long now = server_number(&server, "totals.datagrams");

	if (now != sight->datagrams)
		*sight = (struct sight){now, clock_now()};
	return clock_now() - sight->since >= CLOCK_SECOND && unanswered() > 0;
}

Test(peers, two_echo_services_do_not_answer_each_other_for_ever)
{
	struct sight sight = {0};
	char text[32];
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--listen=udp:127.0.0.1:0", NULL));
	cr_assert(server_start(&other, "hubbub-echo", "1", "2", "--listen=udp:127.0.0.1:0",
		"--reply=verbatim", NULL));
	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof text, "forged %d", i);
		if (!forge(server_port(&other, "udp:127.0.0.1:"),
			    server_port(&server, "udp:127.0.0.1:"), text))
			cr_skip("needs root, to forge a sender");
	}
	cr_assert(wait_until(is_quiet, &sight, 60), "%ld datagrams so far", sight.datagrams);
	/* Every other peer is answered. */
	fd = client_connect_udp(server_port(&server, "udp:127.0.0.1:"));
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
}

/* chargen and similar services answer with other bytes each time. */
Test(peers, services_of_the_system_are_not_answered)
{
	struct sockaddr_in chargen = {.sin_family = AF_INET, .sin_port = htons(19)};
	int port, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	chargen.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&chargen, sizeof chargen) != 0)
		cr_skip("port 19 cannot be had");
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	chargen.sin_port = htons((in_port_t)port);
	cr_assert_eq(sendto(fd, "abc", 3, 0, (struct sockaddr *)&chargen, sizeof chargen), 3);
	close(fd);
	fd = client_connect_udp(port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
	cr_assert(wait_until(one_of_two_is_answered, NULL, 20));
}

/* A peer that pings with the same bytes, however fast, is served as long as it may be honest; and
 * an option lifts the limit. */
Test(peers, the_limit_for_loops_can_be_lifted)
{
	char text[8];
	int fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--listen=udp:127.0.0.1:0",
		"--loop-limit=0", "--reply=verbatim", NULL));
	fd = client_connect_udp(server_port(&server, "udp:127.0.0.1:"));
	/* A busy machine needs long for a ping that waits for its answer: several go at a time. */
	for (int i = 0; i < 12000; i += AT_ONCE) {
		for (int k = 0; k < AT_ONCE; k++)
			cr_assert_eq(send(fd, "ping", 4, 0), 4);
		for (int k = 0; k < AT_ONCE; k++)
			cr_assert_eq(recv(fd, text, sizeof text, 0), 4, "ping %d", i + k);
	}
	close(fd);
	cr_assert_eq(server_number(&server, "totals.unanswered"), 0);
}
