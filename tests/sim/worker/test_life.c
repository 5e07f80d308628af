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

#include "tests/sim/worker/life.h"

TestSuite(life, .timeout = 600);

#define SECONDS_DEFAULT 1

/* ---- what is common to all scenes ---- */

static void
draw_usual(struct life *life)
{
	*life = (struct life){.shape = {.processes = 1 + (unsigned)hub_sim_draw(3),
				      .threads = 1 + (unsigned)hub_sim_draw(3),
				      .backlog = 128,
				      .capacity = 1000,
				      .drain_timeout = 20 * HUB_SECOND},
		.manner = {.count = 1 + (unsigned)hub_sim_draw(100),
			.come_within = HUB_SECOND,
			.messages = 1 + (unsigned)hub_sim_draw(8),
			.length = 1 + hub_sim_draw(3000),
			.pause = HUB_SECOND / 5,
			.vanishing = 10,
			.resetting = 10,
			.staying = 5},
		.changes = 3,
		.change_within = HUB_SECOND,
		.drain_within = 2 * HUB_SECOND};
}

static void
draw_troubled(struct life *life)
{
	draw_usual(life);
	life->is_troubled = true;
}

/* ---- scenes ---- */

static void
draw_idle(struct life *life)
{
	draw_usual(life);
	life->manner.pause = 3 * HUB_SECOND;
}

/* Connections are handed from hub to hub: they are uneven, since clients come at once. */
static void
draw_crowd(struct life *life)
{
	draw_usual(life);
	life->shape.processes = 1;
	life->shape.threads = 4;
	life->manner.count = 200;
	life->manner.come_within = HUB_SECOND / 100;
	life->manner.pause = HUB_SECOND / 3;
}

static void
draw_proxies(struct life *life)
{
	struct worker_network *network = &life->shape.settings.networks[0];

	draw_usual(life);
	life->shape.settings.has_proxy = true;
	life->shape.settings.network_count = 1;
	*network = (struct worker_network){.family = AF_INET, .bytes = {127}, .bits = 8};
	life->manner.has_proxy = true;
	life->manner.lying = 5;
	life->manner.late = 5;
}

static void
draw_timeouts(struct life *life)
{
	draw_usual(life);
	life->shape.settings.idle_timeout = (1 + (int64_t)hub_sim_draw(3)) * HUB_SECOND;
	life->shape.settings.request_timeout = HUB_SECOND;
	life->shape.settings.write_timeout = HUB_SECOND;
	life->manner.pause = 5 * HUB_SECOND;
	life->manner.staying = 2;
	life->drain_within = 10 * HUB_SECOND;
	life->is_troubled = true;
}

/* More than all buffers on the way hold. */
static void
draw_slow(struct life *life)
{
	draw_usual(life);
	life->manner.count = 1 + (unsigned)hub_sim_draw(10);
	life->manner.length = 400000;
	life->manner.messages = 2;
	life->manner.slow = 2;
}

static void
draw_limits(struct life *life)
{
	draw_usual(life);
	life->shape.max_connections = 1 + hub_sim_draw(20);
	life->shape.capacity = 1 + (int64_t)hub_sim_draw(20);
	life->manner.staying = 0;
	life->shape.drain_timeout = 60 * HUB_SECOND;
}

static void
draw_moments(struct life *life)
{
	draw_usual(life);
	life->is_impatient = true;
	life->drain_within = hub_sim_draw(2) == 0 ? HUB_SECOND / 100 : HUB_SECOND;
	life->stop_within = 2 * HUB_SECOND;
	life->shape.drain_timeout = (int64_t)hub_sim_draw(HUB_SECOND);
}

static void
draw_pauses(struct life *life)
{
	draw_usual(life);
	life->stand_still = 3 * HUB_SECOND;
	life->shape.drain_timeout = 60 * HUB_SECOND;
	life->manner.pause = HUB_SECOND / 10;
}

static void
draw_files(struct life *life)
{
	draw_troubled(life);
	life->shape.capacity = 100;
}

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

static void
run(const char *name, void (*draw)(struct life *), const struct hub_sim_options *options)
{
	const struct scene scene = {name, draw, options};
	uint64_t first = first_seed(), seed = first;
	int64_t until = hub_now() + seconds() * HUB_SECOND;
	struct clients_ends sum = {0};
	unsigned long accepted = 0, handed = 0;
	struct life life;

	do {
		const char *why = life_run(&scene, seed, &life);

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
	printf("%s: %" PRIu64 " seeds from %" PRIu64 " on; clients: whole %u, left %u, ended %u, "
	       "denied %u, refused %u, cut %u; accepted %lu, handed %lu\n",
		name, seed - first, first, sum.whole, sum.left, sum.ended, sum.denied, sum.refused,
		sum.cut, accepted, handed);
	fflush(stdout);
}

#define SCENE(name, draw, options)                                                                 \
	Test(life, name)                                                                           \
	{                                                                                          \
		run(#name, draw, options);                                                         \
	}

static const struct hub_sim_options few_files = {
	.files = 150, .no_files = 20, .delay = HUB_MILLISECOND};

SCENE(usual, draw_usual, NULL)
SCENE(idle, draw_idle, NULL)
SCENE(crowd, draw_crowd, NULL)
SCENE(proxies, draw_proxies, NULL)
SCENE(timeouts, draw_timeouts, NULL)
SCENE(slow, draw_slow, NULL)
SCENE(limits, draw_limits, NULL)
SCENE(moments, draw_moments, NULL)
SCENE(pauses, draw_pauses, NULL)
SCENE(files, draw_files, &few_files)
SCENE(trouble, draw_troubled, &hub_sim_trouble)
