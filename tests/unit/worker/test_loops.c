/* Who is known by sending back what it was answered, and limited. */
#include "worker/loops.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/clock.h"

#define LIMIT 100

static struct loops *loops;
static int64_t now = CLOCK_SECOND;

static void
begin(void)
{
	loops = loops_new(LIMIT);
	cr_assert_not_null(loops);
}

static void
end(void)
{
	loops_free(loops);
}

TestSuite(loops, .init = begin, .fini = end, .timeout = 60);

static struct sockaddr_storage
peer_at(unsigned port)
{
	struct sockaddr_storage address = {.ss_family = AF_INET};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;

	v4->sin_port = htons((in_port_t)port);
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* One datagram, and, if it is answered, the same as its answer. */
static bool
is_echoed(const struct sockaddr_storage *peer, const char *text, size_t length)
{
	if (!loops_admit(loops, peer, text, length, now))
		return false;
	loops_note(loops, peer, text, length);
	return true;
}

/* How many of so many, of the same bytes, are answered. */
static int
echoed_of(int count, const struct sockaddr_storage *peer, const char *text, size_t length)
{
	int echoed = 0;

	for (int i = 0; i < count; i++)
		echoed += is_echoed(peer, text, length);
	return echoed;
}

Test(loops, an_echo_is_answered_so_many_times_and_then_a_few_a_second)
{
	struct sockaddr_storage echo = peer_at(7000);

	cr_assert_eq(echoed_of(2 * LOOPS_FIRST, &echo, "x", 1), LOOPS_FIRST + 1,
		"the first one came before its answer");
	now += CLOCK_SECOND;
	cr_assert_eq(echoed_of(2 * LIMIT, &echo, "x", 1), LIMIT);
	cr_assert_eq(echoed_of(1, &echo, "something new", 13), 1);
	/* After a long silence it is as at first. */
	now += LOOPS_FIRST * CLOCK_SECOND / LIMIT;
	cr_assert_eq(echoed_of(2 * LOOPS_FIRST, &echo, "x", 1), LOOPS_FIRST);
}

Test(loops, many_datagrams_on_their_way_are_known_one_by_one)
{
	struct sockaddr_storage echo = peer_at(7000);
	int echoed = 0;

	for (int round = 0; round < 1000; round++)
		for (int i = 0; i < 100; i++) {
			char text[32];
			int length = snprintf(text, sizeof text, "datagram %d", i);

			echoed += is_echoed(&echo, text, (size_t)length);
		}
	/* Some have lost their place to others. */
	cr_assert_lt(echoed, LOOPS_FIRST + 5000, "%d", echoed);
	cr_assert_geq(echoed, LOOPS_FIRST);
}

Test(loops, a_peer_that_says_something_new_is_never_limited)
{
	struct sockaddr_storage peer = peer_at(7000);
	char text[64] = "";

	for (unsigned i = 0; i < 50 * LOOPS_FIRST; i++) {
		memcpy(text + 32, &i, sizeof i);
		cr_assert(is_echoed(&peer, text, sizeof text), "datagram %u", i);
	}
}

Test(loops, peers_are_told_apart)
{
	struct sockaddr_storage one = peer_at(7000), other = peer_at(7001), v6 = {0};
	struct sockaddr_in6 *address = (struct sockaddr_in6 *)&v6;

	address->sin6_family = AF_INET6;
	address->sin6_port = htons(7000);
	address->sin6_addr = in6addr_loopback;
	echoed_of(2 * LOOPS_FIRST, &one, "x", 1);
	cr_assert_not(is_echoed(&one, "x", 1));
	cr_assert(is_echoed(&other, "x", 1));
	cr_assert(is_echoed(&other, "x", 1));
	cr_assert_eq(echoed_of(2 * LOOPS_FIRST, &v6, "", 0), LOOPS_FIRST + 1);
	/* What the kernel says beside the address does not count. */
	address->sin6_flowinfo = 5;
	cr_assert_not(is_echoed(&v6, "", 0));
}

Test(loops, long_ones_differ_by_their_ends)
{
	struct sockaddr_storage peer = peer_at(7000);
	static char text[60000];

	cr_assert_eq(echoed_of(2 * LOOPS_FIRST, &peer, text, sizeof text), LOOPS_FIRST + 1);
	text[sizeof text - 1] = 1;
	cr_assert(is_echoed(&peer, text, sizeof text));
	cr_assert_not(is_echoed(&peer, text, sizeof text));
	cr_assert(is_echoed(&peer, text, sizeof text - 1), "it is shorter");
}
