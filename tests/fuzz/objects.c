/* Random programs on a hub's objects: everything that fault/chaos leaves out, such as closing
 * objects on which coroutines wait, calls that do not wait, items that must be dealt with, maps,
 * pools that are killed, results and ends in a select, links that are taken back, and raw
 * coroutines that switch and throw.
 *
 *	random-objects [--seconds N] */
#include <errno.h>
#include <hubbub/hub.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/fuzz/items.h"
#include "tests/fuzz/programs.h"

enum { ACTORS = 12, STEPS = 14, RAW = 6, DEPTH_MAX = 40 };
#define PATIENCE (20 * HUB_SECOND)

static struct {
	struct hub_semaphore permits;
	struct hub_pool pool;
	struct hub_coroutine *actors[ACTORS];
	unsigned actor_count;
	long children, links; /* how many there are */
} world;

/* ---- children ---- */

static void *
child(void *argument)
{
	world.children++;
	hub_sleep(below(2) ? 0 : below(400) * HUB_MICROSECOND);
	world.children--;
	if (below(6) == 0)
		hub_fail(EPROTO, "chance");
	return argument;
}

static void
step_select(unsigned i)
{
	struct hub_coroutine *own = hub_spawn(child, &world);
	struct hub_result result = {0};
	int *put = items_make(), index, error;
	struct hub_case cases[] = {hub_case_get(items.queues[i]),
		hub_case_put(items.queues[i], put), hub_case_channel_get(&items.channels[i]),
		hub_case_channel_put(&items.channels[!i], put), hub_case_result(&result),
		hub_case_ended(own), hub_case_semaphore(&world.permits)};
	struct hub_timeout shield;

	hub_result_link(&result, own);
	for (size_t j = 0; j < 7; j++)
		if (below(3) == 0)
			cases[j].kind = HUB_CASE_NEVER;
	index = hub_select(cases, 7, below(1500) * HUB_MICROSECOND);
	if (index == -1)
		items_expect_error("select");
	else if ((index == 0 || index == 2) && cases[index].error == 0)
		items_use(cases[index].item);
	else if (index == 6)
		hub_semaphore_release(&world.permits);
	if (index == 1 && cases[index].error == 0)
		items_note_put(i);
	else if (index != 3 || cases[index].error != 0)
		items_use(put);
	if (below(2))
		hub_kill(own);
	hub_shield_start(&shield);
	/* A shield does not hold off hub_interrupt. */
	while ((error = hub_join(own, NULL) != 0 ? errno : 0) == EINTR)
		continue;
	programs_expect(error == 0 || error == EPROTO || error == ECANCELED, "join", error);
	hub_shield_stop(&shield);
	programs_expect(hub_result_is_set(&result), "an end is no result", 0);
}

static void
ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)coroutine;
	free(link);
	world.links--;
}

static void
step_link(unsigned i)
{
	struct hub_coroutine *own = hub_spawn(child, &world);
	struct hub_link *links[3];

	(void)i;
	for (int j = 0; j < 3; j++) {
		links[j] = calloc(1, sizeof *links[j]);
		links[j]->ended = ended;
		hub_link(own, links[j]);
		world.links++;
	}
	for (int j = 0; j < 3; j++)
		if (below(2)) {
			hub_unlink(own, links[j]);
			free(links[j]);
			world.links--;
		}
	if (below(2))
		hub_kill(own);
	hub_detach(own);
}

static bool
next_input(void *input, void **argument)
{
	*argument = input;
	return --*(int *)input > 0;
}

static void
step_map(unsigned i)
{
	int left = 1 + (int)below(8);
	struct hub_imap *map =
		hub_imap_new(&world.pool, child, next_input, &left, 1 + below(4), (int)i);
	struct hub_failure failure;
	void *result;
	struct hub_timeout shield;

	if (map == NULL) {
		items_expect_error("imap");
		return;
	}
	for (unsigned taken = below(10); taken > 0; taken--) {
		int got = hub_imap_next(map, &result, &failure);

		if (got < 0)
			items_expect_error("imap_next");
		if (got <= 0)
			break;
		programs_expect(failure.code != 0 || result == &left || result == NULL,
			"a map gives another result", failure.code);
	}
	hub_shield_start(&shield);
	hub_imap_free(map);
	hub_shield_stop(&shield);
}

static void
step_pool(unsigned i)
{
	struct hub_failure failure;
	void *result = NULL;

	switch (below(5) + (i == 0)) {
	case 0:
		if (hub_pool_spawn(&world.pool, child, NULL) == NULL)
			items_expect_error("pool_spawn");
		break;
	case 1:
		if (hub_pool_try_spawn(&world.pool, child, NULL) == NULL)
			items_expect_error("pool_try_spawn");
		break;
	case 2:
		if (hub_pool_apply(&world.pool, child, &world, &result, &failure) != 0)
			items_expect_error("pool_apply");
		break;
	case 3:
		if (hub_pool_join(&world.pool) != 0)
			items_expect_error("pool_join");
		break;
	case 4:
		if (hub_pool_wait(&world.pool) != 0)
			items_expect_error("pool_wait");
		break;
	default:
		hub_pool_kill(&world.pool);
	}
}

/* ---- raw coroutines ---- */

/* Gives back what it is given; now and then ends or fails. */
static void *
echo(void *value)
{
	for (int turns = 0; turns < DEPTH_MAX; turns++) {
		int error;

		if (below(8) == 0)
			hub_fail(EPROTO, "chance");
		value = hub_switch(hub_parent(hub_current()), value);
		error = hub_thrown();
		if (error != 0)
			hub_fail(error, "thrown");
	}
	return value;
}

static void
step_raw(unsigned i)
{
	struct hub_coroutine *raw[RAW];

	(void)i;
	for (int j = 0; j < RAW; j++) {
		raw[j] = hub_new(echo);
		programs_expect(raw[j] != NULL, "hub_new", errno);
	}
	for (unsigned turns = below(DEPTH_MAX); turns > 0; turns--) {
		struct hub_coroutine *one = raw[below(RAW)];
		void *value;

		/* A throw at a coroutine that has ended reaches its parent, which is this one. */
		if (below(10) == 0)
			value = hub_throw(one, below(2) ? EPROTO : ECANCELED);
		else
			value = hub_switch(one, &world);
		programs_expect(hub_thrown() != 0 || value == &world || value == NULL,
			"another value comes back", 0);
	}
	for (int j = 0; j < RAW; j++)
		hub_free(raw[j]);
}

static void
step_kill(unsigned i)
{
	struct hub_coroutine *actor = world.actors[below(world.actor_count)];

	(void)i;
	if (actor != NULL && below(3) == 0)
		hub_kill(actor);
	else if (actor != NULL)
		hub_interrupt(actor);
}

/* ---- a program ---- */

static void (*const steps[])(unsigned i) = {items_step_queue, items_step_queue, items_step_channel,
	items_step_shared, step_select, step_link, step_map, step_pool, step_raw, step_kill};

static void *
act(void *argument)
{
	for (unsigned left = 1 + below(STEPS); left > 0; left--) {
		struct hub_timeout scope;
		bool has_scope = below(2);

		if (has_scope)
			hub_timeout_start(&scope, below(1000) * HUB_MICROSECOND);
		steps[below(sizeof steps / sizeof steps[0])](below(ITEMS_PLACES));
		if (has_scope)
			hub_timeout_stop(&scope);
		if (hub_sleep(0) != 0 && errno == ECANCELED)
			break;
	}
	return argument;
}

static void
make_world(void)
{
	memset(&world, 0, sizeof world);
	items_open();
	hub_semaphore_init(&world.permits, 1);
	hub_pool_init(&world.pool, below(3));
}

static void
end_world(void)
{
	items_close();
	programs_expect(world.children == 0, "children are missing", world.children);
	programs_expect(world.links == 0, "ends are not told", world.links);
	programs_expect(world.permits.count == 1, "a permit is lost or made", world.permits.count);
	programs_expect(hub_this->scheduled == 1, "coroutines are left", (long)hub_this->scheduled);
	programs_expect(hub_this->arena.used == 1, "stacks are left", (long)hub_this->arena.used);
	programs_expect(hub_this->loop_waits == 0, "waits are left", (long)hub_this->loop_waits);
}

static void *
run_hub(void *argument)
{
	make_world();
	world.actor_count = 2 + below(ACTORS - 1);
	for (unsigned i = 0; i < world.actor_count; i++)
		world.actors[i] = hub_spawn(act, NULL);
	hub_sleep(below(4) * HUB_MILLISECOND);
	/* The actors end without a kill, too. */
	if (below(2))
		items_end();
	else
		hub_kill_all(world.actors, world.actor_count);
	for (unsigned i = 0; i < world.actor_count; i++) {
		struct hub_coroutine *actor = world.actors[i];

		/* Not to be killed any more: the coroutine's memory will be another's. */
		world.actors[i] = NULL;
		if (hub_join_for(actor, NULL, PATIENCE) != 0) {
			hub_dump(STDERR_FILENO);
			programs_complain("one does not end", i);
		}
	}
	hub_pool_join(&world.pool);
	while (hub_this->scheduled > 1 && hub_sleep(HUB_MILLISECOND / 10) == 0)
		continue;
	end_world();
	return argument;
}

/* Detached children fail on purpose. */
static void
ignore_failure(
	const struct hub_coroutine *coroutine, const struct hub_failure *failure, void *context)
{
	(void)coroutine, (void)failure, (void)context;
}

static void
run_program(void)
{
	programs_expect(hub_run(run_hub, NULL, NULL) == 0, "hub_run", errno);
}

int
main(int argc, char **argv)
{
	static const struct hub_hooks hooks = {.failed = ignore_failure};

	hub_set_hooks(&hooks);
	return programs_main(argc, argv, "random-objects", run_program);
}
