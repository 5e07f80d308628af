#include "master/change/change.h"

#include <criterion/criterion.h>
#include <string.h>

#include "master/say/history.h"
#include "tests/unit/master/quiet.h"

/* Begins a change: to one process, which is there already, so that nothing forks. */
static void
begin(struct quiet *quiet)
{
	const char *why;

	quiet_lend(quiet, true);
	cr_assert_eq(master_scale(&quiet->master, 1, 1, &why), 0);
	quiet_lend(quiet, false);
	cr_assert_eq(quiet->master.change, CHANGE_SCALE);
	cr_assert_eq(quiet->ended, 0, "it is told later");
}

Test(change, ends_once_and_says_so)
{
	struct quiet quiet;

	quiet_set(&quiet);
	begin(&quiet);
	cr_assert(quiet_run(&quiet, quiet_has_ended));
	cr_assert_null(quiet.why);
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
	master_changed(&quiet.master, NULL);
	cr_assert_eq(quiet.ended, 1);
	quiet_clear(&quiet);
}

/* Asks for each change in turn; each is to be refused, for that reason. */
static void
assert_all_refused(struct quiet *quiet, const char *reason)
{
	enum master_change before = quiet->master.change;
	const char *why = NULL;

	cr_assert_eq(master_scale(&quiet->master, 4, 4, &why), -1);
	cr_assert_str_eq(why, reason);
	cr_assert_eq(master_reload(&quiet->master, &why), -1);
	cr_assert_str_eq(why, reason);
	cr_assert_eq(master_upgrade(&quiet->master, &why), -1);
	cr_assert_str_eq(why, reason);
	cr_assert_eq(quiet->master.change, before);
	cr_assert_eq(quiet->ended, 0);
}

Test(change, is_one_at_a_time)
{
	struct quiet quiet;

	quiet_set(&quiet);
	begin(&quiet);
	assert_all_refused(&quiet, "busy with another scale; try again when it is done");
	cr_assert(quiet_run(&quiet, quiet_has_ended));
	cr_assert_null(quiet.why);
	quiet_clear(&quiet);
}

Test(change, is_for_who_serves)
{
	struct quiet quiet;

	quiet_set(&quiet);
	for (int phase = 0; phase < MASTER_PHASE_MAX; phase++) {
		quiet.master.phase = (enum master_phase)phase;
		if (phase != MASTER_SERVING)
			assert_all_refused(&quiet, phase == MASTER_STARTING
							   ? "the server is starting"
							   : "the server is stopping");
	}
	quiet_clear(&quiet);
}

Test(change, to_what_is_so_already_is_none)
{
	struct quiet quiet;
	const char *why;

	quiet_set(&quiet);
	cr_assert_eq(master_scale(&quiet.master, 2, 1, &why), 0);
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
	quiet_clear(&quiet);
}

Test(change, to_more_than_there_can_be_is_refused)
{
	struct quiet quiet;
	const char *why;

	quiet_set(&quiet);
	/* However many may be bound: it is not that what is told. */
	quiet.master.sockets.can_bind = false;
	cr_assert_eq(master_scale(&quiet.master, 1024, 2, &why), -1);
	cr_assert_str_eq(why, SOCKETS_TOO_MANY);
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
	quiet_clear(&quiet);
}

Test(change, that_falls_tells_why_outside_of_what_dropped_it)
{
	struct quiet quiet;

	quiet_set(&quiet);
	begin(&quiet);
	change_fell(&quiet.master, "a worker died");
	cr_assert_eq(quiet.ended, 0);
	cr_assert(quiet_run(&quiet, quiet_has_ended));
	cr_assert_str_eq(quiet.why, "a worker died");
	cr_assert_null(quiet.master.fall);
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
	quiet_clear(&quiet);
}

static bool
has_tried_again(const struct quiet *quiet)
{
	const struct event_note *note = history_newest(0);

	(void)quiet;
	return note != NULL && strstr(note->text, "reload refused") != NULL;
}

/* What was written since the change under way began is not to be missed. */
Test(change, a_reload_meanwhile_begins_afterwards)
{
	static char *wrong[] = {"quiet", "--processes=none", NULL};
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.argc = 2;
	quiet.master.argv = wrong;
	begin(&quiet);
	master_reload_later(&quiet.master);
	cr_assert(quiet.master.pending.reload);
	cr_assert_not(has_tried_again(&quiet));
	cr_assert(quiet_run(&quiet, quiet_has_ended));
	cr_assert(quiet_run(&quiet, has_tried_again));
	cr_assert_not(quiet.master.pending.reload);
	quiet_clear(&quiet);
}

static unsigned
count_notes(const char *text)
{
	unsigned count = 0;
	const struct event_note *note;

	for (unsigned i = 0; (note = history_newest(i)) != NULL; i++)
		count += strstr(note->text, text) != NULL;
	return count;
}

static bool
has_done_all(const struct quiet *quiet)
{
	const struct pending *pending = &quiet->master.pending;

	return !pending->reload && !pending->upgrade && pending->workers == 0 &&
	       quiet->master.change == CHANGE_NONE;
}

/* Each kind once, in whichever order they came; here none can succeed, and each says so. */
Test(change, all_that_is_asked_for_meanwhile_is_done_afterwards)
{
	static char *wrong[] = {"quiet", "--processes=none", NULL};
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.argc = 2;
	quiet.master.argv = wrong;
	begin(&quiet);
	for (int i = 0; i < 3; i++) {
		master_upgrade_later(&quiet.master);
		master_reload_later(&quiet.master);
	}
	/* They add up. */
	master_add_workers_later(&quiet.master, 1);
	master_add_workers_later(&quiet.master, -1);
	cr_assert_eq(quiet.master.pending.workers, 0);
	cr_assert_geq(count_notes("reload: when the scale is done"), 1);
	cr_assert_eq(count_notes("refused"), 0);
	cr_assert(quiet_run(&quiet, quiet_has_ended));
	cr_assert(quiet_run(&quiet, has_done_all));
	cr_assert_eq(count_notes("reload refused"), 1);
	cr_assert_eq(count_notes("upgrade refused"), 1);
	quiet_clear(&quiet);
}

Test(change, what_is_asked_for_at_the_start_waits_for_its_end)
{
	static char *wrong[] = {"quiet", "--processes=none", NULL};
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.argc = 2;
	quiet.master.argv = wrong;
	quiet.master.phase = MASTER_STARTING;
	master_reload_later(&quiet.master);
	cr_assert_eq(count_notes("reload: when the start is done"), 1);
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
	cr_assert(quiet.master.pending.reload);
	quiet.master.phase = MASTER_SERVING;
	master_do_pending(&quiet.master);
	cr_assert(quiet_run(&quiet, has_done_all));
	cr_assert_eq(count_notes("reload refused"), 1);
	quiet_clear(&quiet);
}

Test(change, a_drain_forgets_what_is_pending)
{
	struct quiet quiet;

	quiet_set(&quiet);
	begin(&quiet);
	master_upgrade_later(&quiet.master);
	master_reload_later(&quiet.master);
	quiet.master.options.drain_delay = CLOCK_SECOND;
	master_drain(&quiet.master);
	cr_assert(has_done_all(&quiet));
	master_reload_later(&quiet.master);
	cr_assert(has_done_all(&quiet));
	cr_assert_eq(count_notes("reload refused: the server is stopping"), 1);
	quiet_clear(&quiet);
}

Test(change, is_ended_by_a_drain)
{
	struct quiet quiet;

	quiet_set(&quiet);
	begin(&quiet);
	master_drain(&quiet.master);
	cr_assert_eq(quiet.ended, 1);
	cr_assert_str_eq(quiet.why, "the server is stopping");
	cr_assert_eq(quiet.master.phase, MASTER_DRAINING);
	cr_assert_null(quiet.master.fleet.serving);
	/* Nobody drains twice. */
	quiet.master.options.drain_delay = CLOCK_SECOND;
	master_drain(&quiet.master);
	cr_assert_eq(quiet.ended, 1);
	cr_assert_eq(quiet.master.phase, MASTER_DRAINING);
	quiet_clear(&quiet);
}

static bool
is_draining(const struct quiet *quiet)
{
	return quiet->master.phase == MASTER_DRAINING;
}

Test(change, a_drain_waits_for_its_delay)
{
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.options.drain_delay = 50 * CLOCK_MILLISECOND;
	master_drain(&quiet.master);
	cr_assert_eq(quiet.master.phase, MASTER_DELAYING);
	cr_assert_not_null(quiet.master.fleet.serving, "it goes on accepting");
	cr_assert(quiet_run(&quiet, is_draining));
	quiet_clear(&quiet);
}

Test(change, a_stop_cuts_the_delay_short)
{
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.options.drain_delay = 50 * CLOCK_MILLISECOND;
	master_drain(&quiet.master);
	master_stop(&quiet.master, 143);
	cr_assert_eq(quiet.master.phase, MASTER_DRAINING);
	cr_assert_eq(quiet.master.exit_code, 143);
	cr_assert(quiet.master.is_stopped);
	cr_assert_not(ev_is_active(&quiet.master.delay));
	quiet_clear(&quiet);
}

/* A fork that is refused makes what rises fall before the change that began it awaits its end. */
Test(change, to_be_awaited_twice_keeps_the_clock_right)
{
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.change = CHANGE_SCALE;
	for (int i = 0; i < 2; i++) {
		change_fell(&quiet.master, "no more processes");
		cr_assert_gt(
			ev_timer_remaining(quiet.master.loop, &quiet.master.settled), 0, "%d", i);
	}
	cr_assert(quiet_run(&quiet, quiet_has_ended));
	cr_assert_str_eq(quiet.why, "no more processes");
	quiet_clear(&quiet);
}

Test(change, of_the_shape_is_refused_where_the_service_needs_another)
{
	static const struct hubbub_service pair = {
		.name = "pair", .version = "1.0", .processes = 2};
	struct quiet quiet;
	const char *why = NULL;

	quiet_set(&quiet);
	quiet.master.service = &pair;
	cr_assert_eq(master_scale(&quiet.master, 3, 1, &why), -1);
	cr_assert_str_eq(why, "pair runs in 2 processes, not in 3");
	cr_assert_eq(quiet.master.change, CHANGE_NONE);
	quiet_clear(&quiet);
}
