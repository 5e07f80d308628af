/* What a seed draws of a life, scene by scene. */
#include "tests/sim/worker/scenes.h"

#include "hub/hub.h"

/* A world that lasts longer than this does not end. */
#define LONGEST (3600 * HUB_SECOND)

static const struct hub_sim_options plain = {.longest = LONGEST};

static const struct hub_sim_options large = {.files = 40000, .longest = LONGEST};

/* A process has few files, and is refused some. */
static const struct hub_sim_options few_files = {.files = 150, .no_files = 20, .longest = LONGEST};

static const struct hub_sim_options no_memory = {
	.no_memory = 100, .allocation = 100, .longest = LONGEST};

/* ---- what is common to all scenes ---- */

static void
draw_usual(struct life *life)
{
	*life = (struct life){.shape = {.processes = 1 + (unsigned)hub_sim_draw(3),
				      .threads = 1 + (unsigned)hub_sim_draw(3),
				      .addresses = 1 + (unsigned)hub_sim_draw(SERVER_ADDRESSES_MAX),
				      .turn = (unsigned)hub_sim_draw(SERVER_ADDRESSES_MAX),
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
	if (hub_sim_draw(2) == 0)
		life->shape.settings.hub.spin = HUB_SPIN_AUTO;
	/* In every fourth life of any kind. */
	life->kills = hub_sim_draw(4) == 0 ? 2 : 0;
	life->stops = hub_sim_draw(4) == 0 ? 2 : 0;
	life->stop_for = 5 * HUB_SECOND;
	life->rotations = hub_sim_draw(8) == 0 ? 3 : 0;
}

/* Workers die, and stand still, at any moment. */
static void
draw_accidents(struct life *life)
{
	draw_usual(life);
	life->kills = life->stops = 5;
	life->shape.hang_timeout = hub_sim_draw(2) == 0 ? 0 : 3 * HUB_SECOND;
}

static void
draw_trouble(struct life *life)
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

/* All trust 127.0.0.0/8, and half of them ::1, too. */
static void
draw_proxies(struct life *life)
{
	struct worker_settings *settings = &life->shape.settings;
	bool trusts_all;

	draw_usual(life);
	trusts_all = hub_sim_draw(2) == 0;
	settings->has_proxy = true;
	settings->networks[0] =
		(struct worker_network){.family = AF_INET, .bytes = {127}, .bits = 8};
	settings->networks[1] =
		(struct worker_network){.family = AF_INET6, .bytes = {[15] = 1}, .bits = 128};
	settings->network_count = trusts_all ? 2 : 1;
	life->manner.foreign = trusts_all ? 0 : AF_INET6;
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
	life->manner.deaf = 40;
	life->manner.idle_most = life->shape.settings.idle_timeout;
	life->manner.write_most = life->shape.settings.write_timeout;
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
	life->quitting = 4;
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

/* Hubs that compute for longer than the master takes for a sign of life. */
static void
draw_hangs(struct life *life)
{
	draw_usual(life);
	life->shape.blocking = 20;
	life->shape.block_for = 3 * HUB_SECOND;
	life->shape.drain_timeout = 120 * HUB_SECOND;
}

/* The master dies at any moment, also during a change. */
static void
draw_orphans(struct life *life)
{
	draw_usual(life);
	life->is_impatient = life->is_orphaned = true;
}

static void
draw_files(struct life *life)
{
	draw_trouble(life);
	life->shape.capacity = 100;
	life->shape.is_starved = true;
}

static void
draw_memory(struct life *life)
{
	draw_trouble(life);
	life->shape.is_starved = true;
}

static void
draw_thousands(struct life *life)
{
	draw_usual(life);
	life->shape.capacity = 10000;
	life->shape.backlog = 4096;
	life->manner.count = 2000 + (unsigned)hub_sim_draw(3000);
}

/* What is always the same, so that it can be told how many such lives a minute has. */
static void
draw_hundred(struct life *life)
{
	draw_usual(life);
	life->shape.processes = 1;
	life->manner.count = 100;
	life->reloads = 1;
	life->changes = life->kills = life->stops = life->rotations = 0;
}

#define SCENE(name, options) {#name, draw_##name, options},
const struct scene scenes[] = {SCENES(SCENE){0}};
