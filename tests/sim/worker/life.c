/* Between two acts of the operator time passes as it is drawn; so each act meets the clients, the
 * workers and the act before it at any moment. */
#include "tests/sim/worker/life.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/kernel.h"
#include "hub/hub.h"
#include "tests/sim/worker/process.h"

/* What a drain may take beyond its timeout: the end of connections and queues, and of processes. */
#define MORE (4 * HUB_SECOND)

struct run {
	const struct scene *scene;
	struct life *life;
};

static int64_t
draw_time(int64_t most)
{
	return (int64_t)hub_sim_draw((uint64_t)most);
}

/* Lets time pass for all, or for all but the server and its clients, as if the machine had been
 * paused. */
static void
pass(const struct life *life, int64_t time)
{
	if (life->stand_still != 0 && hub_sim_draw(2) == 0) {
		int64_t still = draw_time(life->stand_still);

		kernel_nanosleep(&(struct timespec){still / HUB_SECOND, still % HUB_SECOND});
		processes_held();
	}
	hub_sleep(time);
}

/* A change may be refused, while another one is under way. */
static void
change(void)
{
	bool is_waited_for = hub_sim_draw(2) == 0;

	if (hub_sim_draw(3) == 0)
		server_scale(1 + (unsigned)hub_sim_draw(3), is_waited_for);
	else
		server_reload(is_waited_for);
}

/* What befalls workers, beside all that the operator does, until the server has left. */
static void *
have_accidents(void *argument)
{
	const struct life *life = argument;
	int64_t most = life->drain_within + life->change_within;
	unsigned kills = (unsigned)hub_sim_draw(life->kills + 1);
	unsigned stops = (unsigned)hub_sim_draw(life->stops + 1);

	while (kills + stops > 0 && hub_sleep(draw_time(most)) == 0) {
		if (hub_sim_draw(kills + stops) < kills) {
			kills--;
			processes_kill_one();
		} else {
			stops--;
			processes_stop_one(draw_time(life->stop_for));
		}
	}
	return NULL;
}

/* The log is rotated. */
static void *
rotate(void *argument)
{
	const struct life *life = argument;
	unsigned left = (unsigned)hub_sim_draw(life->rotations + 1);

	for (; left > 0 && hub_sleep(draw_time(life->change_within)) == 0; left--) {
		if (server_has_died())
			return NULL;
		server_reopen();
	}
	return NULL;
}

static void
end(struct hub_coroutine *coroutine)
{
	if (coroutine == NULL)
		return;
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
}

/* None may be refused. Returns why one was. */
static const char *
reload_all(const struct life *life)
{
	const char *why = NULL;

	for (unsigned left = life->reloads; left > 0 && why == NULL; left--) {
		pass(life, draw_time(life->change_within));
		why = server_reload(true);
	}
	return why;
}

static void *
stop_later(void *argument)
{
	const struct life *life = argument;

	if (hub_sleep(draw_time(life->stop_within)) != 0)
		return NULL;
	if (life->quitting != 0 && hub_sim_draw(life->quitting) == 0)
		server_quit();
	else
		server_stop();
	return NULL;
}

/* Drains, and waits for the end. Returns what was wrong. */
static const char *
leave(struct life *life)
{
	struct hub_coroutine *stopper = NULL;
	int64_t began = hub_now(), most;
	const char *why;

	if (life->is_orphaned)
		server_die();
	else
		server_drain();
	if (life->stop_within != 0)
		stopper = hub_spawn(stop_later, life);
	pass(life, 0);
	why = server_end();
	end(stopper);
	most = life->shape.drain_timeout + life->stand_still + life->stop_for + MORE;
	if (why == NULL && hub_now() - began > most)
		why = "the drain took too long";
	return why;
}

static const char *
judge(const struct life *life)
{
	const struct clients_ends *ends = &life->ends;

	if (clients_sum(ends) != life->manner.count)
		return "a client has had no end";
	if (ends->wrong != 0)
		return "an echo was wrong";
	if (life->stops == 0 && ends->kept != 0)
		return "a client was kept for longer than a timeout allows";
	if (!life->is_troubled && ends->cut > server_victims())
		return "more clients were cut before the deadline than a death explains";
	if (!life->is_troubled && ends->refused != 0)
		return "a client was refused by a server that served";
	return NULL;
}

static const char *
live(struct life *life)
{
	const char *why = server_begin(&life->shape), *refusal;
	struct hub_coroutine *accidents, *rotator;

	if (why != NULL)
		return life->shape.is_starved ? NULL : why;
	if (!life->is_impatient || hub_sim_draw(2) == 0)
		server_wait_ready();
	clients_start(&life->manner);
	accidents = hub_spawn(have_accidents, life);
	rotator = hub_spawn(rotate, life);
	refusal = reload_all(life);
	for (unsigned left = (unsigned)hub_sim_draw(life->changes + 1); left > 0; left--) {
		pass(life, draw_time(life->change_within));
		change();
	}
	pass(life, draw_time(life->drain_within));
	end(rotator);
	why = leave(life);
	end(accidents);
	life->ends = clients_wait();
	if (why == NULL)
		why = refusal;
	return why != NULL ? why : judge(life);
}

static void *
body(void *argument)
{
	struct run *run = argument;

	run->scene->draw(run->life);
	run->life->why = live(run->life);
	return NULL;
}

const char *
life_run(const struct scene *scene, uint64_t seed, struct life *life)
{
	static char text[12000];
	struct run run = {scene, life};
	int result;

	*life = (struct life){0};
	result = hub_sim_run(seed, scene->options, body, &run);
	if (result == 0 && life->why == NULL)
		return NULL;
	snprintf(text, sizeof text, "HUBBUB_SEED=%lu build/bin/sim-worker --filter '*/%s': %s\n%s",
		(unsigned long)seed, scene->name, life->why != NULL ? life->why : "",
		hub_sim_report());
	return text;
}
