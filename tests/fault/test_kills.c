/* A thousand deaths of workers on 8 servers: every server serves on, nothing leaks, and no counter
 * goes back. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/support/server.h"
#include "tests/support/witness.h"

#define SERVERS 8
#define WORKERS 4
/* A worker that has served for half a second is replaced at once. */
#define AGE 0.55

struct victim {
	struct server server;
	struct witness witness;
	long kills;
	long accepts; /* at the last look */
	long received;
	long went_back;
	int files;
	long memory;
};

static struct victim victims[SERVERS];

static void
end(void)
{
	for (int i = 0; i < SERVERS; i++)
		server_clean(&victims[i].server);
}

TestSuite(kills, .fini = end, .timeout = 600);

/* Counters only grow, however many processes come and go. */
static void
look_at_counters(struct victim *victim, const json_t *state)
{
	const json_t *totals = json_object_get(state, "totals");
	long accepts = (long)json_integer_value(json_object_get(totals, "accepts"));
	long received = (long)json_integer_value(json_object_get(totals, "received_bytes"));

	victim->went_back += accepts < victim->accepts || received < victim->received;
	victim->accepts = accepts;
	victim->received = received;
}

static void
kill_who_is_old_enough(struct victim *victim, long most, unsigned *seed)
{
	json_t *state = server_stats(&victim->server);
	const json_t *worker;
	size_t i;

	cr_assert_not_null(state, "the master does not answer: %s", victim->server.program.text);
	look_at_counters(victim, state);
	json_array_foreach(json_object_get(state, "workers"), i, worker)
	{
		if (victim->kills >= most ||
			json_number_value(json_object_get(worker, "age_s")) < AGE ||
			rand_r(seed) % 4 == 0)
			continue;
		kill((pid_t)json_integer_value(json_object_get(worker, "pid")), SIGKILL);
		victim->kills++;
	}
	json_decref(state);
}

static bool
is_whole(void *context)
{
	struct victim *victim = context;
	pid_t children[2 * WORKERS];

	return server_number(&victim->server, "processes") == WORKERS &&
	       program_children(victim->server.pid, children, 2 * WORKERS) == WORKERS;
}

Test(kills, a_thousand_workers_die_at_random_points)
{
	unsigned seed = (unsigned)time(NULL);
	const char *wanted = getenv("HUBBUB_KILLS");
	long all = 0, kills = wanted != NULL ? atol(wanted) : 1000, each = kills / SERVERS;
	int rounds = 0;

	fprintf(stderr, "seed %u\n", seed);
	for (int i = 0; i < SERVERS; i++) {
		struct victim *victim = &victims[i];

		cr_assert(server_start(&victim->server, "hubbub-echo", "4", "1",
			"--drain-timeout=2", "--log-level=error", NULL));
		victim->witness = (struct witness){.target.port = victim->server.program.port,
			.lasting = 4,
			.pause = 0.02,
			.rate = 20,
			.limit = 20 * CLOCK_SECOND};
		witness_start(&victim->witness);
		victim->files = program_files(victim->server.pid);
		victim->memory = program_memory(victim->server.pid);
	}
	while (all < each * SERVERS) {
		all = 0;
		for (int i = 0; i < SERVERS; i++) {
			kill_who_is_old_enough(&victims[i], each, &seed);
			/* In the middle, two generations run side by side. */
			if (++rounds % 97 == 0)
				kill(victims[i].server.pid, SIGHUP);
			all += victims[i].kills;
		}
		poll(NULL, 0, 10);
	}
	for (int i = 0; i < SERVERS; i++) {
		struct victim *victim = &victims[i];

		cr_assert(wait_until(is_whole, victim, 20), "it is not whole again: %s",
			victim->server.program.text);
		witness_stop(&victim->witness);
		cr_assert_eq(victim->witness.result.wrong, 0);
		cr_assert_eq(victim->witness.result.refused, 0);
		cr_assert_eq(victim->witness.result.late, 0, "%s", witness_text(&victim->witness));
		cr_assert_eq(victim->went_back, 0, "a counter went back");
		cr_assert_leq(program_files(victim->server.pid), victim->files + 2);
		/* Without sanitizers only: they keep freed memory. */
		if (!program_is_sanitized())
			cr_assert_leq(program_memory(victim->server.pid),
				victim->memory + (8L << 20), "%ld bytes, then %ld", victim->memory,
				program_memory(victim->server.pid));
		cr_assert_eq(server_end(&victim->server, 20), 0);
	}
	fprintf(stderr, "%ld workers were killed\n", all);
}
