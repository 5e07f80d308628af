/* Proxies in front: their headers name the client; those of strangers are refused, and missing
 * ones. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/server.h"

static struct server server;
static struct certificate certificate;

static void
end(void)
{
	server_clean(&server);
	certificate_clean(&certificate);
}

TestSuite(proxies, .fini = end, .timeout = 600);

#define V4_HEADER "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x1f\x90\0\x50"
#define LOCAL_HEADER "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

/* Sends these bytes, and returns the answer's first line; "" for an end or a reset. */
static const char *
told(const char *bytes, size_t length)
{
	static char line[128];
	int fd = client_connect(server.program.port);
	size_t got = 0;
	ssize_t received;

	send(fd, bytes, length, MSG_NOSIGNAL);
	while (got < sizeof line - 1 &&
		(received = recv(fd, line + got, sizeof line - 1 - got, 0)) > 0)
		got += (size_t)received;
	line[got] = '\0';
	close(fd);
	return line;
}

Test(proxies, one_names_the_client)
{
	char expected[64];
	int fd;

	cr_assert(server_start(&server, "example-peer", "1", "2", "--proxy-protocol=on", NULL));
	cr_assert_str_eq(told(V4_HEADER, 28), "192.0.2.7:8080\n");
	/* The header may come in any pieces. */
	fd = client_connect(server.program.port);
	for (int i = 0; i < 28; i++) {
		send(fd, V4_HEADER + i, 1, MSG_NOSIGNAL);
		poll(NULL, 0, 1);
	}
	cr_assert(client_exchange(fd, "", "192.0.2.7:8080\n"));
	close(fd);
	/* For a connection of the proxy's own, the peer is the proxy. */
	snprintf(expected, sizeof expected, "127.0.0.1:");
	cr_assert_eq(strncmp(told(LOCAL_HEADER, 16), expected, strlen(expected)), 0);
	/* Of version 1. */
	cr_assert_str_eq(
		told("PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n", 40), "192.0.2.7:8080\n");
	cr_assert_str_eq(
		told("PROXY TCP6 2001:db8::7 2001:db8::1 8080 80\r\n", 44), "[2001:db8::7]:8080\n");
	cr_assert_eq(strncmp(told("PROXY UNKNOWN\r\n", 15), expected, strlen(expected)), 0);
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	cr_assert_str_eq(told("GET / HTTP/1.0\r\n\r\n", 18), "");
	cr_assert_str_eq(told("PROXY TCP4 192.0.2.7 192.0.2.1 8080 080\r\n", 41), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 2);
	cr_assert(program_expect(&server.program, "does not begin with a PROXY header", 5), "%s",
		server.program.text);
}

Test(proxies, a_stranger_is_none)
{
	cr_assert(server_start(&server, "example-peer", "1", "1", "--proxy-protocol=on",
		"--proxy-from=10.0.0.0/8", "--proxy-from=2001:db8::/32", NULL));
	cr_assert_str_eq(told(V4_HEADER, 28), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 1);
	cr_assert(program_expect(&server.program, "in no network of --proxy-from", 5));
}

Test(proxies, one_comes_before_tls)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "example-peer", "1", "1", "--proxy-protocol=on",
		certificate.cert_option, certificate.key_option, NULL));
	/* A client whose handshake fails is named as the header has named it. */
	told("PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\nhello, no handshake", 59);
	cr_assert(program_expect(&server.program, "refused a client at 192.0.2.7:8080: TLS: ", 5),
		"%s", server.program.text);
	/* The wait for a missing header ends. */
	cr_assert_str_eq(told("\x16\x03\x01\0\x05hello_no_header", 20), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 2);
}
