/* The order in which coroutines run in the world, and what happens to them while they wait: all
 * that the API allows, and nothing else. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/seeds.h"

#define SEEDS 200

TestSuite(orders, .timeout = 120);

/* What happens in a run, a character each. */
static char seen[64];

static void
see(char what)
{
	size_t length = strlen(seen);

	if (length < sizeof seen - 1) {
		seen[length] = what;
		seen[length + 1] = '\0';
	}
}

/* ---- orders ---- */

static void *
sleep_and_see(void *name)
{
	hub_sleep(HUB_SECOND);
	see((char)(intptr_t)name);
	return NULL;
}

static void *
three_sleep(void *unused)
{
	struct hub_coroutine *sleepers[3];

	seen[0] = '\0';
	for (int i = 0; i < 3; i++)
		sleepers[i] = hub_spawn(sleep_and_see, (void *)(intptr_t)('a' + i));
	for (int i = 0; i < 3; i++)
		hub_join(sleepers[i], NULL);
	return unused;
}

static int
count_orders(unsigned reordered)
{
	const struct hub_sim_options options = {.reordered = reordered};
	char orders[6][4] = {""};
	int count = 0;

	EACH_SEED (seed, SEEDS) {
		int i = 0;

		cr_assert_eq(hub_sim_run(seed, &options, three_sleep, NULL), 0);
		cr_assert_eq(strlen(seen), 3);
		while (i < count && strcmp(orders[i], seen) != 0)
			i++;
		cr_assert_lt(i, 6);
		if (i == count)
			strcpy(orders[count++], seen);
	}
	return count;
}

Test(orders, who_wakes_at_once_runs_in_any_order)
{
	cr_assert_eq(count_orders(2), 6);
	cr_assert_eq(count_orders(0), 1);
}

static void *
yield_and_see(void *name)
{
	see((char)(intptr_t)name);
	hub_sleep(0);
	see((char)(intptr_t)name);
	return NULL;
}

static void *
three_yield(void *unused)
{
	struct hub_coroutine *yielders[3];

	seen[0] = '\0';
	for (int i = 0; i < 3; i++)
		yielders[i] = hub_spawn(yield_and_see, (void *)(intptr_t)('a' + i));
	for (int i = 0; i < 3; i++)
		hub_join(yielders[i], NULL);
	return unused;
}

Test(orders, who_becomes_runnable_before_another_runs_before_it)
{
	const struct hub_sim_options options = {.reordered = 1};

	EACH_SEED (seed, SEEDS) {
		cr_assert_eq(hub_sim_run(seed, &options, three_yield, NULL), 0);
		cr_assert_str_eq(seen, "abcabc", "seed %lu", (unsigned long)seed);
	}
}

/* ---- kills, expired scopes, closes ---- */

static void *
wait_for_event(void *event)
{
	return hub_event_wait(event) == -1 ? (void *)(intptr_t)errno : NULL;
}

static void *
one_is_mortal(void *unused)
{
	struct hub_event event = {0};
	struct hub_coroutine *mortal = hub_spawn(wait_for_event, &event),
			     *other = hub_spawn(wait_for_event, &event);
	void *error;

	hub_sim_may_kill(mortal);
	hub_sleep(60 * HUB_SECOND);
	hub_event_set(&event);
	hub_join(mortal, &error);
	cr_expect_eq((intptr_t)error, ECANCELED);
	hub_join(other, &error);
	cr_expect_null(error);
	return unused;
}

Test(orders, who_may_be_killed_is_and_no_other)
{
	const struct hub_sim_options options = {.killed = 1};

	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, &options, one_is_mortal, NULL), 0, "%s",
			hub_sim_report());
}

static void *
scopes_around_a_wait(void *unused)
{
	struct hub_timeout outer, inner, endless;
	int64_t began = hub_now();
	bool inner_has, outer_has;

	hub_timeout_start(&outer, 3600 * HUB_SECOND);
	hub_timeout_start(&inner, 3600 * HUB_SECOND);
	hub_timeout_start(&endless, HUB_FOREVER);
	cr_expect_eq(hub_sleep(HUB_FOREVER), -1);
	cr_expect_eq(errno, ETIMEDOUT);
	cr_expect_not(hub_timeout_stop(&endless));
	inner_has = hub_timeout_stop(&inner);
	outer_has = hub_timeout_stop(&outer);
	cr_expect(inner_has || outer_has);
	see(inner_has ? 'i' : 'o');
	cr_expect_lt(hub_now() - began, 60 * HUB_SECOND);
	return unused;
}

Test(orders, any_scope_expires_before_its_time)
{
	const struct hub_sim_options options = {.expired = 1};

	EACH_SEED (seed, 60)
		cr_assert_eq(hub_sim_run(seed, &options, scopes_around_a_wait, NULL), 0);
	cr_assert_not_null(strchr(seen, 'i'));
	cr_assert_not_null(strchr(seen, 'o'));
}

static struct {
	int pair[2];
	int kept; /* the number that pair[0] had */
	bool keeps;
} closing;

static void *
descriptor_is_closed(void *unused)
{
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, closing.pair);
	closing.kept = closing.pair[0];
	hub_sim_may_close(&closing.pair[0]);
	cr_expect_eq(hub_recv(closing.pair[0], &byte, 1, 0), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(closing.pair[0], -1);
	if (closing.keeps)
		hub_send(closing.kept, "x", 1, 0);
	hub_close(closing.pair[1]);
	return unused;
}

Test(orders, a_descriptor_is_closed_while_it_is_waited_for)
{
	const struct hub_sim_options options = {.closed = 1};

	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, &options, descriptor_is_closed, NULL), 0, "%s",
			hub_sim_report());
}

Test(orders, whoever_keeps_the_number_of_a_closed_descriptor_is_found)
{
	const struct hub_sim_options options = {.closed = 1};
	int found = 0;

	closing.keeps = true;
	EACH_SEED (seed, SEEDS) {
		if (hub_sim_run(seed, &options, descriptor_is_closed, NULL) == 0)
			continue;
		found++;
		cr_assert_not_null(strstr(hub_sim_report(),
					   "1 bytes were written to descriptor 512 after it was "
					   "closed, and its number used again"),
			"%s", hub_sim_report());
	}
	cr_assert_gt(found, SEEDS / 4);
}

/* ---- all that repeats ---- */

Test(orders, a_seed_repeats_what_happens)
{
	static hub_fn *const bodies[] = {
		one_is_mortal, scopes_around_a_wait, descriptor_is_closed, three_sleep};
	const struct hub_sim_options options = {
		.reordered = 2, .killed = 1, .expired = 1, .closed = 1};

	closing.keeps = false;
	EACH_SEED (seed, 50)
		for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
			uint64_t first;

			hub_sim_run(seed, &options, bodies[i], NULL);
			first = hub_sim_trace();
			hub_sim_run(seed, &options, bodies[i], NULL);
			cr_assert_eq(hub_sim_trace(), first, "seed %lu", (unsigned long)seed);
		}
}
