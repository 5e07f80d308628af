/* New connections go where the load is lowest: to the hubs with the fewest, and away from busy
 * ones. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/nap.h"
#include "tests/support/server.h"

#define SERVERS 8

static struct server servers[SERVERS];

static void
end(void)
{
	for (int i = 0; i < SERVERS; i++)
		server_clean(&servers[i]);
}

TestSuite(steering, .fini = end, .timeout = 600);

static long
connections_of(struct server *server, unsigned hub)
{
	return server_hub(server, hub / 2, hub % 2, "connections");
}

/* The most connections of one of the four hubs. */
static long
most(struct server *server)
{
	long highest = 0;

	for (unsigned hub = 0; hub < 4; hub++) {
		long open = connections_of(server, hub);

		if (open > highest)
			highest = open;
	}
	return highest;
}

struct sum {
	struct server *server;
	long wanted;
};

static bool
is_sum(void *context)
{
	const struct sum *sum = context;

	return server_number(sum->server, "connections") == sum->wanted;
}

/* One trial on each server, side by side: opens count connections, one every so many seconds.
 * Returns in how many trials no hub got more than limit. */
static int
run_trials(int count, double every, long limit)
{
	int(*clients)[SERVERS] = calloc((size_t)count, sizeof *clients);
	int good = 0;

	for (int i = 0; i < count; i++) {
		int64_t next = clock_now() + (int64_t)(every * (double)CLOCK_SECOND);

		for (int s = 0; s < SERVERS; s++)
			clients[i][s] = client_connect(servers[s].program.port);
		while (clock_now() < next)
			poll(NULL, 0, 1);
	}
	for (int s = 0; s < SERVERS; s++) {
		struct sum sum = {&servers[s], count};

		cr_assert(wait_until(is_sum, &sum, 5));
		fprintf(stderr, " %ld", most(&servers[s]));
		good += most(&servers[s]) <= limit;
	}
	for (int i = 0; i < count; i++)
		for (int s = 0; s < SERVERS; s++)
			close(clients[i][s]);
	free(clients);
	for (int s = 0; s < SERVERS; s++) {
		struct sum sum = {&servers[s], 0};

		cr_assert(wait_until(is_sum, &sum, 5));
	}
	return good;
}

static void
start_all(void)
{
	for (int s = 0; s < SERVERS; s++)
		cr_assert(server_start(&servers[s], "hubbub-echo", "2", "2", NULL));
}

/* HUBBUB_TRIALS rounds of eight trials each; 95 of 100 must succeed. */
static int
rounds(void)
{
	const char *wanted = getenv("HUBBUB_TRIALS");

	return wanted != NULL ? atoi(wanted) : 3;
}

static void
assert_trials(int count, double every, long limit)
{
	int good = 0, all = rounds() * SERVERS;

	start_all();
	for (int i = 0; i < rounds(); i++)
		good += run_trials(count, every, limit);
	fprintf(stderr, "\n%d of %d trials had at most %ld of %d on one hub\n", good, all, limit,
		count);
	/* With few trials a larger share may fail by chance. */
	cr_assert_geq(good, all * 95 / 100 - (all < 100));
	for (int s = 0; s < SERVERS; s++)
		cr_assert_eq(server_end(&servers[s], 40), 0);
}

Test(steering, two_hundred_connections_over_two_seconds_are_spread_evenly)
{
	assert_trials(200, 0.01, 55);
}

Test(steering, eight_connections_one_after_the_other_are_spread_evenly)
{
	assert_trials(8, 0.1, 3);
}

#define IN_STEP 100

/* If 100 clients draw among four hubs at once, the fullest has 30 on average, 31 if a tick falls in
 * between; if all of them go to the hubs that were empty before, it has 50. */
Test(steering, clients_that_reconnect_in_step_are_not_sent_to_and_fro)
{
	struct server *server = &servers[0];
	struct sum sum = {server, IN_STEP};
	int clients[IN_STEP], rounds = 12;
	long highest = 0;

	cr_assert(server_start(server, "hubbub-echo", "2", "2", NULL));
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < IN_STEP && round > 0; i++)
			close(clients[i]);
		for (int i = 0; i < IN_STEP; i++) {
			clients[i] = client_connect(server->program.port);
			cr_assert_neq(clients[i], -1);
		}
		cr_assert(wait_until(is_sum, &sum, 30));
		/* Time for the master to see the burst that it was too late for, and to answer. */
		poll(NULL, 0, 300);
		fprintf(stderr, " %ld", most(server));
		/* In the first rounds steering learns. */
		highest += round >= 2 ? most(server) : 0;
	}
	fprintf(stderr, ", %.1f on average; %ld handed over\n", (double)highest / (rounds - 2),
		server_number(server, "totals.handed"));
	cr_assert_leq(highest, 40 * (rounds - 2));
	for (int i = 0; i < IN_STEP; i++)
		close(clients[i]);
	cr_assert_eq(server_end(server, 40), 0);
}

Test(steering, a_saturated_hub_gets_at_most_a_tenth)
{
	struct server *server = &servers[0];
	int busy, clients[200];
	unsigned saturated = 0;
	long before;

	cr_assert(server_start(server, "naughty", "2", "2", NULL));
	busy = client_connect(server->program.port);
	cr_assert(client_exchange(busy, "hello\n", "HELLO\n"));
	for (unsigned hub = 0; hub < 4; hub++)
		if (connections_of(server, hub) == 1)
			saturated = hub;
	/* One spin after the other, each shorter than what counts as a hang. */
	for (int i = 0; i < 40; i++)
		cr_assert_eq(send(busy, "spin 100\n", 9, 0), 9);
	nap(0.9);
	before = connections_of(server, saturated);
	for (int i = 0; i < 200; i++) {
		clients[i] = client_connect(server->program.port);
		nap(0.005);
	}
	before = connections_of(server, saturated) +
		 server_hub(server, saturated / 2, saturated % 2, "queue") - before;
	fprintf(stderr, "%ld of 200\n", before);
	cr_assert_leq(before, 20);
	for (int i = 0; i < 200; i++)
		close(clients[i]);
	close(busy);
	server_clean(server);
}

Test(steering, by_hash_it_is_left_to_the_kernel)
{
	struct server *server = &servers[0];
	int fd;

	cr_assert(server_start(server, "hubbub-echo", "2", "2", "--balance=hash", NULL));
	nap(0.2);
	json_t *state = server_stats(server);
	cr_assert(json_is_false(json_object_get(state, "steered")));
	json_decref(state);
	fd = client_connect(server->program.port);
	cr_assert(client_exchange(fd, "hash", "HASH"));
	close(fd);
	cr_assert_eq(server_end(server, 40), 0);
}
