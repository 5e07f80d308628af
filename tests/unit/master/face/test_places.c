#include "master/face/places.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "hub/base/clock.h"

#define MOST 4
#define PATIENCE CLOCK_SECOND

static struct ev_loop *loop;
static struct places places;
static struct place clients[16];
static char ended[64]; /* the numbers of those that had to go */

static void
on_end(struct place *place)
{
	size_t length = strlen(ended);

	cr_assert(list_is_empty(&place->link), "it is still in its place");
	snprintf(ended + length, sizeof ended - length, " %d", (int)(place - clients));
}

static void
begin(void)
{
	loop = ev_loop_new(EVFLAG_AUTO);
	places_init(&places, loop, MOST, PATIENCE, on_end);
	*ended = '\0';
}

static void
end(void)
{
	places_fini(&places);
	ev_loop_destroy(loop);
}

TestSuite(places, .init = begin, .fini = end);

/* The client takes a place, and comes from that address. */
static void
come(int client, const char *from)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, from, &v4.sin_addr) == 1)
		places_take(&places, &clients[client], (struct sockaddr *)&v4);
	else if (inet_pton(AF_INET6, from, &v6.sin6_addr) == 1)
		places_take(&places, &clients[client], (struct sockaddr *)&v6);
	else
		cr_assert_fail("%s", from);
}

static void
wait_over(void)
{
	cr_assert(ev_is_active(&places.timer));
	ev_timer_stop(loop, &places.timer);
	ev_invoke(loop, &places.timer, EV_TIMER);
}

Test(places, when_all_are_taken_the_oldest_gives_way)
{
	for (int i = 0; i < 6; i++)
		come(i, "127.0.0.1");
	cr_assert_str_eq(ended, " 0 1");
	cr_assert_eq(places.count, MOST);
}

Test(places, of_those_who_have_the_most)
{
	come(0, "10.0.0.1");
	come(1, "10.0.0.2");
	come(2, "10.0.0.2");
	come(3, "10.0.0.1");
	come(4, "10.0.0.1");
	cr_assert_str_eq(ended, " 0", "as many each: the oldest of all");
	come(5, "10.0.0.2");
	cr_assert_str_eq(ended, " 0 1");
	come(6, "10.0.0.1");
	come(7, "10.0.0.1");
	come(8, "10.0.0.1");
	cr_assert_str_eq(ended, " 0 1 2 3 4", "one is left that another has");
	for (int i = 9; i < 16; i++)
		come(i, "10.0.0.1");
	cr_assert_null(strstr(ended, " 5"), "the other one stays:%s", ended);
}

Test(places, a_network_of_v6_is_one_client_and_a_mapped_address_is_that_of_v4)
{
	come(0, "10.0.0.9");
	come(1, "2001:db8:0:1::1");
	come(2, "2001:db8:0:1:ffff::2");
	come(3, "2001:db8:0:2::1");
	come(4, "::ffff:10.0.0.9");
	cr_assert_str_eq(ended, " 1");
	come(5, "::ffff:10.0.0.9");
	cr_assert_str_eq(ended, " 1 0");
}

Test(places, who_has_left_has_none)
{
	come(0, "127.0.0.1");
	come(1, "127.0.0.1");
	places_leave(&places, &clients[0]);
	places_leave(&places, &clients[0]);
	cr_assert_eq(places.count, 1);
	cr_assert(places_yield(&places));
	cr_assert_not(places_yield(&places));
	cr_assert_str_eq(ended, " 1");
	cr_assert_not(ev_is_active(&places.timer));
}

Test(places, whose_time_is_over_has_to_go)
{
	for (int i = 0; i < 3; i++)
		come(i, "127.0.0.1");
	wait_over();
	cr_assert_str_eq(ended, "");
	for (int i = 0; i < 2; i++)
		clients[i].since -= PATIENCE;
	wait_over();
	cr_assert_str_eq(ended, " 0 1");
	cr_assert(ev_is_active(&places.timer), "the one that is left has its time, too");
	cr_assert_eq(places.count, 1);
}

Test(places, at_the_end_all_have_to_go)
{
	come(0, "127.0.0.1");
	come(1, "::1");
	places_fini(&places);
	cr_assert_str_eq(ended, " 0 1");
	cr_assert_not(ev_is_active(&places.timer));
}
