/* Links tell of ends; waiting for some of many; and coroutines whose memory is used again. */
#include <errno.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct note {
	struct hub_link link;
	const char *name;
	struct note *unlinks;
};

static void
say_note(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct note *note = (struct note *)(void *)link;
	int slept;

	if (note->unlinks != NULL)
		hub_unlink(coroutine, &note->unlinks->link);
	/* A link may not block. */
	slept = hub_sleep(0);
	trace_call(note->name, slept);
}

static struct note
note_of(const char *name)
{
	return (struct note){{.ended = say_note}, name, NULL};
}

static void *
nothing(void *argument)
{
	return argument;
}

static void *
links_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(nothing, NULL);
	struct note a = note_of("a"), b = note_of("b"), c = note_of("c"), d = note_of("d"),
		    late = note_of("late");

	hub_link(coroutine, &a.link);
	hub_link(coroutine, &b.link);
	hub_link(coroutine, &c.link);
	hub_link(coroutine, &d.link);
	hub_unlink(coroutine, &b.link);
	hub_unlink(coroutine, &b.link);
	/* The first one told takes back a later one. */
	a.unlinks = &c;
	hub_sleep(0);
	hub_link(coroutine, &late.link);
	hub_unlink(coroutine, &late.link);
	hub_join(coroutine, NULL);
	return argument;
}

Test(link, are_told_in_order_without_those_unlinked_and_late_ones_at_once)
{
	in_hub(links_body, NULL);
	cr_assert_str_eq(trace_text(), "a EPERM, d EPERM, late EPERM");
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(nothing, NULL);
	struct note note = note_of("killed");

	hub_link(coroutine, &note.link);
	hub_kill(coroutine);
	hub_join(coroutine, NULL);
	return argument;
}

Test(link, is_told_of_one_killed_before_its_first_run)
{
	in_hub(killed_body, NULL);
	cr_assert_str_eq(trace_text(), "killed EPERM");
}

static void *
sleep_ms(void *argument)
{
	hub_sleep((intptr_t)argument * HUB_MILLISECOND);
	return argument;
}

static void *
fail_soon(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	return hub_fail((int)(intptr_t)argument, "told to");
}

static void *
wait_body(void *argument)
{
	struct hub_coroutine *slow = hub_spawn(sleep_ms, (void *)300),
			     *middle = hub_spawn(sleep_ms, (void *)150),
			     *fast = hub_spawn(sleep_ms, (void *)1),
			     *never = hub_spawn(sleep_ms, (void *)60000);
	struct hub_coroutine *all[] = {slow, middle, fast, never};
	struct hub_timeout scope;
	size_t ended;

	trace_call("one", hub_wait_ended(all, 4, 1, 0, &ended));
	trace_whether("enough", ended >= 1);
	/* Two more, however many have ended before. */
	trace_call("three", hub_wait_ended(all, 4, 3, 0, &ended));
	trace_whether("enough", ended >= 3);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	/* A timeout does not lose who has ended. */
	trace_call("all in a scope", hub_wait_ended(all, 4, 0, 0, &ended));
	trace_say("%zu ended", ended);
	hub_timeout_stop(&scope);
	trace_whether("in the order of their ends",
		all[0] == fast && all[1] == middle && all[2] == slow && all[3] == never);
	hub_wait_ended(all, 0, 0, 0, &ended);
	trace_say("%zu of none", ended);
	hub_kill_all(all, 4);
	trace_call("all", hub_wait_ended(all, 4, 0, 0, &ended));
	for (int i = 0; i < 4; i++)
		hub_join(all[i], NULL);
	return argument;
}

Test(link, waiting_for_some_gives_those_that_ended_in_the_order_of_their_ends)
{
	in_hub(wait_body, NULL);
	cr_assert_str_eq(trace_text(),
		"one 0, enough, three 0, enough, all in a scope ETIMEDOUT, 3 ended, "
		"in the order of their ends, 0 of none, all 0");
}

static void *
failure_body(void *argument)
{
	struct hub_coroutine *sleeper = hub_spawn(sleep_ms, (void *)60000),
			     *first = hub_spawn(fail_soon, (void *)EIO),
			     *second = hub_spawn(fail_soon, (void *)EBUSY);
	struct hub_coroutine *all[] = {sleeper, first, second};
	struct hub_failure failure;
	size_t ended;

	trace_call("wait", hub_wait_ended(all, 3, 0, HUB_WAIT_FIRST_FAILURE, &ended));
	trace_whether("enough", ended >= 1);
	trace_whether("the first one in front", all[0] == first);
	trace_error("its code", hub_failure_of(all[0])->code);
	hub_kill_all(all, 3);
	trace_call("get", hub_get(first, NULL, &failure));
	hub_get(second, NULL, &failure);
	hub_get(sleeper, NULL, &failure);
	return argument;
}

Test(link, waiting_may_end_with_the_first_failure)
{
	in_hub(failure_body, NULL);
	cr_assert_str_eq(
		trace_text(), "wait 0, enough, the first one in front, its code EIO, get EIO");
}

static bool is_detached;

static void
detach_it(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)link;
	trace_call("detach", hub_detach(coroutine));
	is_detached = true;
	/* This must not take the stack on which the callback runs. */
	hub_detach(hub_spawn(nothing, NULL));
}

static void *
detach_body(void *argument)
{
	struct hub_link link = {.ended = detach_it};

	hub_link(hub_spawn(fail_soon, (void *)EIO), &link);
	while (!is_detached)
		hub_sleep(HUB_MILLISECOND);
	return argument;
}

Test(link, may_detach_the_one_that_ends)
{
	in_hub(detach_body, NULL);
	cr_assert_str_eq(trace_text(), "detach 0");
}

static void *
raw_link_body(void *argument)
{
	struct note note = note_of("raw");
	struct hub_coroutine *raw = hub_new(nothing);

	hub_link(raw, &note.link);
	hub_switch(raw, NULL);
	hub_free(raw);
	return argument;
}

Test(link, is_told_of_a_raw_coroutine_too)
{
	in_hub(raw_link_body, NULL);
	cr_assert_str_eq(trace_text(), "raw EPERM");
}

/* ---- coroutines that are gone when the wait is over, and whose memory is another's ---- */

/* Runs right after it has ended: in its memory there is a new one then, that sleeps. */
static void *
spawn_after_end(void *argument)
{
	return hub_spawn(sleep_ms, (void *)60000) == argument ? argument : NULL;
}

static void *
gone_body(void *argument)
{
	struct hub_coroutine *left = hub_spawn(sleep_ms, (void *)60000),
			     *gone = hub_spawn(nothing, NULL);
	struct hub_coroutine *all[] = {left, gone}, *spawner = hub_spawn(spawn_after_end, gone);
	struct hub_timeout scope;
	void *reused;
	size_t ended;

	hub_detach(gone);
	hub_timeout_start(&scope, 3 * HUB_MILLISECOND);
	trace_call("wait", hub_wait_ended(all, 2, 0, 0, &ended));
	trace_say("%zu ended", ended);
	hub_timeout_stop(&scope);
	hub_join(spawner, &reused);
	/* Otherwise this test tells nothing. */
	if (trace_whether("its slot used again", reused != NULL)) {
		trace_whether("it in front", all[0] == reused);
		hub_kill(reused);
		hub_join(reused, NULL);
	}
	hub_kill(left);
	hub_join(left, NULL);
	return argument;
}

Test(link, waiting_counts_one_that_is_gone_and_not_its_successor)
{
	in_hub(gone_body, NULL);
	cr_assert_str_eq(trace_text(), "wait ETIMEDOUT, 1 ended, its slot used again, it in front");
}

struct identity {
	struct hub_coroutine *coroutine;
	uint64_t id;
};

static void *
take_identity(void *argument)
{
	*(struct identity *)argument = (struct identity){hub_current(), hub_id(hub_current())};
	return NULL;
}

struct identities {
	struct identity first, second, third;
};

static void *
id_body(void *argument)
{
	struct identities *all = argument;

	hub_join(hub_spawn(take_identity, &all->first), NULL);
	hub_join(hub_spawn(take_identity, &all->second), NULL);
	hub_join(hub_spawn(take_identity, &all->third), NULL);
	return NULL;
}

Test(link, no_two_coroutines_have_the_same_id)
{
	struct identities all = {0};

	in_hub(id_body, &all);
	cr_assert_eq(all.first.coroutine, all.second.coroutine, "this test tells nothing");
	cr_assert_eq(all.second.coroutine, all.third.coroutine, "this test tells nothing");
	cr_assert_neq(all.first.id, all.second.id);
	cr_assert_neq(all.second.id, all.third.id);
	cr_assert_neq(all.first.id, all.third.id);
}

/* ---- no hub runs in a callback ---- */

static int run_error;

static void
run_a_hub(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)link, (void)coroutine;
	run_error = hub_run(nothing, NULL, NULL) != 0 ? errno : 0;
}

Test(link, of_a_raw_coroutine_refuses_to_run_a_hub)
{
	struct hub_link link = {.ended = run_a_hub};
	struct hub_coroutine *raw = hub_new(nothing);

	hub_link(raw, &link);
	cr_assert_eq(hub_switch(raw, &link), &link);
	cr_assert_eq(run_error, EBUSY);
	hub_free(raw);
}

/* ---- raw coroutines ---- */

struct raw_ends {
	struct hub_coroutine *raw;
	int waited; /* of hub_wait_ended */
	size_t ended;
	bool is_raw_first;
};

static void *
sleep_once(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	return argument;
}

static void *
drive(void *argument)
{
	struct hub_coroutine *raw = ((struct raw_ends *)argument)->raw;

	hub_set_parent(raw, hub_current());
	hub_switch(raw, NULL);
	return NULL;
}

static void *
wait_for_raw(void *argument)
{
	struct raw_ends *ends = argument;
	struct hub_coroutine *driver, *both[2];

	ends->raw = hub_new(sleep_once);
	driver = hub_spawn(drive, ends);
	both[0] = driver;
	both[1] = ends->raw;
	ends->waited = hub_wait_ended(both, 2, 1, 0, &ends->ended);
	ends->is_raw_first = both[0] == ends->raw;
	hub_join(driver, NULL);
	hub_free(ends->raw);
	return NULL;
}

Test(link, raw_coroutines_are_among_those_that_have_ended)
{
	struct raw_ends ends = {0};

	in_hub(wait_for_raw, &ends);
	cr_assert_eq(ends.waited, 0);
	cr_assert_geq(ends.ended, 1);
	cr_assert(ends.is_raw_first);
}

static bool was_done, was_told;

static void
note_raw_end(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)link;
	was_told = true;
	was_done = hub_is_done(coroutine);
}

Test(link, is_told_of_a_raw_coroutine_that_is_ended_before_it_starts)
{
	struct hub_link link = {.ended = note_raw_end};
	struct hub_coroutine *raw = hub_new(nothing);

	hub_link(raw, &link);
	cr_assert_null(hub_throw(raw, ECANCELED));
	cr_assert(hub_is_done(raw));
	cr_assert(was_told);
	cr_assert_not(was_done, "links are called just before");
	hub_free(raw);
}
