/* Scenes of servers' lives: what a seed draws of each, and what must hold at the end of all of them
 * (life.c, server.c, clients.c). Each scene has some seconds, and as many seeds as fit: from
 * HUBBUB_SEED on, or from a number that is printed. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/worker/scenes.h"

TestSuite(life, .timeout = 600);

#define SECONDS_DEFAULT 1

/* ---- the loop over seeds ---- */

static uint64_t
first_seed(void)
{
	const char *seed = getenv("HUBBUB_SEED");

	return seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) % 1000000;
}

static int64_t
seconds(void)
{
	const char *given = getenv("HUBBUB_SECONDS");

	return given != NULL ? atol(given) : SECONDS_DEFAULT;
}

/* Nanoseconds of this process: others on the machine do not count. */
static int64_t
cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * HUB_SECOND + time.tv_nsec;
}

static void
run(const struct scene *scene)
{
	uint64_t first = first_seed(), seed = first;
	int64_t began = cpu_time(), until = hub_now() + seconds() * HUB_SECOND;
	struct clients_ends sum = {0};
	unsigned long accepted = 0, handed = 0;
	struct life life;

	do {
		const char *why = life_run(scene, seed, &life);

		cr_assert_null(why, "%s", why);
		accepted += server_total()->accepted;
		handed += server_total()->handed;
		sum.whole += life.ends.whole;
		sum.left += life.ends.left;
		sum.ended += life.ends.ended;
		sum.denied += life.ends.denied;
		sum.cut += life.ends.cut;
		sum.refused += life.ends.refused;
		seed++;
	} while (hub_now() < until);
	printf("%s: %" PRIu64 " seeds from %" PRIu64
	       " on, %.0f in a minute of CPU; clients: whole %u, left %u, ended %u, "
	       "denied %u, refused %u, cut %u; accepted %lu, handed %lu\n",
		scene->name, seed - first, first,
		(double)(seed - first) * 60 * HUB_SECOND / (double)(cpu_time() - began), sum.whole,
		sum.left, sum.ended, sum.denied, sum.refused, sum.cut, accepted, handed);
	fflush(stdout);
}

#define SCENE(name, options)                                                                       \
	Test(life, name)                                                                           \
	{                                                                                          \
		run(&scenes[SCENE_##name]);                                                        \
	}

SCENES(SCENE)

/* Once upwards and once downwards, so that other lives come before each. */
static void
repeat_all(uint64_t seed)
{
	uint64_t traces[SCENE_MAX];
	struct life life;

	for (unsigned i = 0; i < SCENE_MAX; i++) {
		life_run(&scenes[i], seed, &life);
		traces[i] = hub_sim_trace();
	}
	for (unsigned i = SCENE_MAX; i-- > 0;) {
		life_run(&scenes[i], seed, &life);
		cr_assert_eq(hub_sim_trace(), traces[i], "%s, seed %" PRIu64, scenes[i].name, seed);
	}
}

Test(life, a_seed_repeats_itself)
{
	int64_t until = hub_now() + seconds() * HUB_SECOND;
	uint64_t seed = first_seed();

	do
		repeat_all(seed++);
	while (hub_now() < until);
}
