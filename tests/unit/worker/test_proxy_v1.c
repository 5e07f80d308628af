#include "worker/proxy_v1.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "worker/proxy.h"

#define NOT_ENDED "does not end with CR LF within 107 bytes"
#define WRONG "is not as the protocol says"
#define V6_MOST "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define PADDING "0123456789012345678901234567890123456789012345678901234567890123456789"

TestSuite(proxy_v1, .timeout = 60);

/* ---- parsing ---- */

static const struct {
	const char *line, *host; /* "": the client is not named */
	unsigned port;
} good[] = {
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n", "192.0.2.7", 8080},
	{"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0", 0},
	{"PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255", 65535},
	{"PROXY TCP6 2001:db8::7 2001:DB8::1 8080 80\r\n", "2001:db8::7", 8080},
	{"PROXY TCP6 ::1 :: 1 2\r\n", "::1", 1},
	{"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 8080 80\r\n", "::ffff:192.0.2.7", 8080},
	{"PROXY TCP6 " V6_MOST " " V6_MOST " 65535 65535\r\n", V6_MOST, 65535},
	{"PROXY UNKNOWN\r\n", "", 0},
	{"PROXY UNKNOWN \r\n", "", 0},
	{"PROXY UNKNOWN what ever, 192.0.2.7  \t\r\n", "", 0},
	/* The longest line that there can be. */
	{"PROXY UNKNOWN " V6_MOST " " V6_MOST " 65535 65535\r\n", "", 0},
};

static const struct {
	const char *line, *why;
} bad[] = {
	{"", NOT_ENDED},
	{"PROXY\r\n", NOT_ENDED},
	{"PROXY UNKNOWN\n", NOT_ENDED},
	{"PROXY UNKNOWN \n", NOT_ENDED},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\n", NOT_ENDED},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r", NOT_ENDED},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\nx", NOT_ENDED},
	{"PROXY UNKNOWN " V6_MOST " " V6_MOST " 65535 65535 \r\n", NOT_ENDED},
	{"PROXY UNKNOWN " PADDING PADDING "\r\n", NOT_ENDED},
	{"PROXY UNKNOWN x\ny\r\n", WRONG},
	{"PROXY UNKNOWN x\ry\r\n", WRONG},
	{"PROXY UNKNOWN \r\n\r\n", WRONG},
	{"PROXY UNKNOWNS\r\n", WRONG},
	{"PROXY unknown\r\n", WRONG},
	{"proxy UNKNOWN\r\n", WRONG},
	{"PROXY  UNKNOWN\r\n", WRONG},
	{"PROXY\tUNKNOWN\r\n", WRONG},
	{"PROXY TCP4  \r\r\n", WRONG},
	{"PROXY TCP4      \r\n", WRONG},
	{"PROXY TCP5 192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP 192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY UDP4 192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY tcp4 192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY  TCP4 192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4  192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1  8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 80 \r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 80 1\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 \r\n", WRONG},
	{"PROXY TCP4\t192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	/* addresses */
	{"PROXY TCP4 192.0.2.07 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.02.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7.1 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.256 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 0xc0.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 localhost 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 2001:db8::7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 2001:db8::1 8080 80\r\n", WRONG},
	{"PROXY TCP6 192.0.2.7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP6 2001:db8::7 192.0.2.1 8080 80\r\n", WRONG},
	{"PROXY TCP6 2001:db8::7::1 ::1 8080 80\r\n", WRONG},
	{"PROXY TCP6 2001:db8:7 ::1 8080 80\r\n", WRONG},
	{"PROXY TCP6 2001:0db80::7 ::1 8080 80\r\n", WRONG},
	{"PROXY TCP6 [::1] ::1 8080 80\r\n", WRONG},
	{"PROXY TCP6 fe80::1%lo ::1 8080 80\r\n", WRONG},
	/* ports */
	{"PROXY TCP4 192.0.2.7 192.0.2.1 08080 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 00\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 65536 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 8080 65536\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 99999999999999999999 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 -1 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 +1 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 0x1 80\r\n", WRONG},
	{"PROXY TCP4 192.0.2.7 192.0.2.1 http 80\r\n", WRONG},
};

static bool
parse(const char *line, size_t length, struct sockaddr_storage *client, const char **why)
{
	return proxy_v1_parse((const unsigned char *)line, length, client, why);
}

Test(proxy_v1, tells_the_client)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct sockaddr_storage client;
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&client;
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&client;
		char host[INET6_ADDRSTRLEN] = "";
		const char *why = NULL;
		unsigned port = 0;

		cr_assert(parse(good[i].line, strlen(good[i].line), &client, &why), "%s: %s",
			good[i].line, why);
		if (client.ss_family == AF_INET) {
			inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
			port = ntohs(v4->sin_port);
		} else if (client.ss_family == AF_INET6) {
			inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
			port = ntohs(v6->sin6_port);
		}
		cr_assert_str_eq(host, good[i].host, "%s", good[i].line);
		cr_assert_eq(port, good[i].port, "%s", good[i].line);
	}
}

Test(proxy_v1, what_is_not_as_it_must_be_is_refused)
{
	static const char with_nul[] = "PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\0\r\n",
			  with_hidden[] = "PROXY UNKNOWN\0TCP4\r\n";
	struct sockaddr_storage client;
	const char *why;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert_not(
			parse(bad[i].line, strlen(bad[i].line), &client, &why), "%s", bad[i].line);
		cr_assert_not_null(strstr(why, bad[i].why), "%s: %s", bad[i].line, why);
		cr_assert_eq(client.ss_family, AF_UNSPEC, "%s", bad[i].line);
	}
	cr_assert_not(parse(with_nul, sizeof with_nul - 1, &client, &why));
	cr_assert_not(parse(with_hidden, sizeof with_hidden - 1, &client, &why));
}

/* ---- reading ---- */

#define LINE "PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n"

static struct {
	const char *bytes;
	size_t piece;  /* sent at once */
	size_t length; /* or sent whole */

	enum proxy_reading reading;
	const char *why;
	struct sockaddr_storage client;
	char rest[64]; /* what is left in the socket */
} arrival;

static void *
send_pieces(void *argument)
{
	const int *pair = argument;
	size_t length = strlen(arrival.bytes);

	for (size_t at = 0; at < length; at += arrival.piece) {
		size_t part = length - at < arrival.piece ? length - at : arrival.piece;

		hub_send(pair[1], arrival.bytes + at, part, 0);
		hub_sleep(0);
	}
	hub_shutdown(pair[1], SHUT_WR);
	return NULL;
}

static void *
read_body(void *unused)
{
	struct hub_coroutine *sender;
	int pair[2];

	memset(arrival.rest, 0, sizeof arrival.rest);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	sender = hub_spawn(send_pieces, pair);
	arrival.reading = proxy_read(pair[0], &arrival.client, &arrival.why);
	hub_join(sender, NULL);
	if (arrival.reading == PROXY_READ)
		hub_recv(pair[0], arrival.rest, sizeof arrival.rest - 1, MSG_DONTWAIT);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return unused;
}

static enum proxy_reading
arrive(const char *bytes, size_t piece)
{
	arrival.bytes = bytes;
	arrival.piece = piece;
	in_hub(read_body, NULL);
	return arrival.reading;
}

/* In whichever pieces it comes, what follows is the client's. */
Test(proxy_v1, is_read_and_nothing_beyond_it)
{
	for (size_t piece = 1; piece < 60; piece++) {
		cr_assert_eq(
			arrive(LINE "GET /\r\n", piece), PROXY_READ, "%zu: %s", piece, arrival.why);
		cr_assert_eq(arrival.client.ss_family, AF_INET);
		cr_assert_str_eq(arrival.rest, "GET /\r\n", "in pieces of %zu", piece);
		cr_assert_eq(arrive("PROXY UNKNOWN\r\nhello", piece), PROXY_READ);
		cr_assert_eq(arrival.client.ss_family, AF_UNSPEC);
		cr_assert_str_eq(arrival.rest, "hello", "in pieces of %zu", piece);
	}
}

Test(proxy_v1, one_that_does_not_end_is_cut_or_wrong)
{
	for (size_t piece = 1; piece < 40; piece += 6) {
		cr_assert_eq(arrive("PROXY TCP4 192.0.2.7 192.0.2.1 80", piece), PROXY_CUT);
		cr_assert_eq(arrive("PROXY TCP4", piece), PROXY_CUT);
		cr_assert_eq(arrive("PROXY UNKNOWN " PADDING PADDING PADDING, piece), PROXY_WRONG);
		cr_assert_not_null(strstr(arrival.why, NOT_ENDED), "%s", arrival.why);
		cr_assert_eq(arrive("PROXY TCP4\r\n" LINE, piece), PROXY_WRONG);
		cr_assert_eq(arrive("PROXIES ARE NICE\r\n" LINE, piece), PROXY_WRONG);
		cr_assert_not_null(strstr(arrival.why, "does not begin"), "%s", arrival.why);
	}
}

/* ---- too late ---- */

static void *
read_late_body(void *unused)
{
	struct hub_timeout passed;
	int pair[2];

	memset(arrival.rest, 0, sizeof arrival.rest);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hub_send(pair[1], arrival.bytes, arrival.length, 0);
	hub_timeout_start(&passed, 0);
	arrival.reading = proxy_read(pair[0], &arrival.client, &arrival.why);
	hub_timeout_stop(&passed);
	hub_recv(pair[0], arrival.rest, sizeof arrival.rest - 1, MSG_DONTWAIT);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return unused;
}

static enum proxy_reading
arrive_before_it_is_late(const char *bytes, size_t length)
{
	arrival.bytes = bytes;
	arrival.length = length;
	in_hub(read_late_body, NULL);
	return arrival.reading;
}

#define BINARY                                                                                     \
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"                                                       \
	"\x0a\0\0\x01\xc0\0\x02\x07\x1f\x90\0\x50"

/* The deadline passes while the process is stopped. */
Test(proxy_v1, what_has_come_by_the_deadline_is_read_after_it)
{
	cr_assert_eq(arrive_before_it_is_late(LINE "GET", strlen(LINE "GET")), PROXY_READ);
	cr_assert_str_eq(arrival.rest, "GET");
	cr_assert_eq(arrive_before_it_is_late(BINARY "GET", sizeof BINARY "GET" - 1), PROXY_READ);
	cr_assert_str_eq(arrival.rest, "GET");
	cr_assert_eq(arrive_before_it_is_late(LINE, strlen(LINE) - 1), PROXY_CUT);
	cr_assert_eq(arrive_before_it_is_late(BINARY, sizeof BINARY - 2), PROXY_CUT);
	cr_assert_eq(arrive_before_it_is_late("", 0), PROXY_NOTHING);
}
