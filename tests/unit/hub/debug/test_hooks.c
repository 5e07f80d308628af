#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	char text[256];
	int switches;
	int ends;
};

static void
on_spawned(struct hub_coroutine *coroutine, void *context)
{
	(void)coroutine;
	strcat(((struct record *)context)->text, "spawned ");
}

static void
on_switched(struct hub_coroutine *from, struct hub_coroutine *to, bool thrown, void *context)
{
	struct record *record = context;

	(void)thrown;
	if (record->switches++ == 0) {
		strcat(record->text, hub_name(from));
		strcat(record->text, "->");
		strcat(record->text, hub_name(to));
		strcat(record->text, " ");
	}
}

static void
on_ended(struct hub_coroutine *coroutine, void *context)
{
	(void)coroutine;
	((struct record *)context)->ends++;
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
body(void *argument)
{
	hub_join(hub_spawn(nothing, NULL), NULL);
	return argument;
}

Test(hooks, tell_of_spawns_switches_and_ends)
{
	struct record record = {0};
	struct hub_hooks hooks = {.spawned = on_spawned,
		.switched = on_switched,
		.ended = on_ended,
		.context = &record};

	cr_assert_null(hub_set_hooks(&hooks));
	cr_assert_eq(hub_run(body, &record, NULL), 0);
	cr_assert_eq(hub_set_hooks(NULL), &hooks);
	cr_assert_str_eq(record.text, "spawned hub->main spawned ");
	cr_assert_eq(record.ends, 2);
	cr_assert_geq(record.switches, 4);
}

/* ---- a hook looks at the coroutine that was spawned ---- */

struct look {
	struct hub_link link;
	int spawned;
	int done; /* that hub_is_done said of those that were spawned */
	int ended;
	int ended_early; /* links called within the hook */
};

static void
on_link(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)coroutine;
	((struct look *)(void *)link)->ended++;
}

static void
link_spawned(struct hub_coroutine *coroutine, void *context)
{
	struct look *look = context;

	/* The first coroutine is hub_run's. */
	if (look->spawned++ == 0)
		return;
	look->done += hub_is_done(coroutine);
	look->link.ended = on_link;
	hub_link(coroutine, &look->link);
	look->ended_early += look->ended == look->spawned - 1;
}

static void *
spawn_in_used_slots(void *argument)
{
	for (int i = 0; i < 3; i++)
		hub_join(hub_spawn(nothing, NULL), NULL);
	return argument;
}

Test(hooks, may_link_to_a_spawned_coroutine_whose_slot_was_used)
{
	struct look look = {0};
	struct hub_hooks hooks = {.spawned = link_spawned, .context = &look};

	cr_assert_null(hub_set_hooks(&hooks));
	cr_assert_eq(hub_run(spawn_in_used_slots, NULL, NULL), 0);
	hub_set_hooks(NULL);
	cr_assert_eq(look.spawned, 4);
	cr_assert_eq(look.done, 0);
	cr_assert_eq(look.ended, 3);
	cr_assert_eq(look.ended_early, 0);
}
