/* Every cell of the table is walked. */
#include "master/fleet/supervision.h"

#include <criterion/criterion.h>
#include <stdbool.h>

#define EACH_CELL(state, event)                                                                    \
	for (int state = 0; state < SUPERVISION_STATE_MAX; state++)                                \
		for (int event = 0; event < SUPERVISION_EVENT_MAX; event++)

/* Whether there is a process in that state. */
static bool
has_process(enum supervision_state state)
{
	return state != SUPERVISION_DEAD && state != SUPERVISION_BACKING_OFF;
}

Test(supervision, every_cell_leads_to_a_state_by_a_known_action)
{
	int cells = 0;

	EACH_CELL(state, event)
	{
		struct supervision_cell cell = supervision_step(state, event);

		cells++;
		cr_assert_lt(cell.next, SUPERVISION_STATE_MAX);
		cr_assert_lt(cell.action, SUPERVISION_ACTION_MAX);
		cr_assert_not_null(supervision_state_names[state]);
		cr_assert_not_null(supervision_event_names[event]);
		/* A cell that was forgotten would make anything dead. */
		cr_assert(cell.next != SUPERVISION_DEAD || state == SUPERVISION_DEAD ||
				  cell.action == SUPERVISION_RETIRE ||
				  cell.action == SUPERVISION_GIVE_UP_PAUSE,
			"%s + %s", supervision_state_names[state], supervision_event_names[event]);
	}
	cr_assert_eq(cells, SUPERVISION_STATE_MAX * SUPERVISION_EVENT_MAX);
}

Test(supervision, a_change_of_state_has_an_action_and_nothing_changes_nothing)
{
	EACH_CELL(state, event)
	{
		struct supervision_cell cell = supervision_step(state, event);

		if (cell.action == SUPERVISION_NOTHING)
			cr_assert_eq(cell.next, (enum supervision_state)state);
	}
}

Test(supervision, processes_come_and_go_only_by_spawn_and_exit)
{
	EACH_CELL(state, event)
	{
		struct supervision_cell cell = supervision_step(state, event);

		if (has_process(cell.next) && !has_process(state))
			cr_assert_eq(cell.action, SUPERVISION_SPAWN);
		if (has_process(state) && !has_process(cell.next))
			cr_assert(event == SUPERVISION_EXIT || event == SUPERVISION_FORK_FAILED);
		if (event == SUPERVISION_EXIT && has_process(state))
			cr_assert_not(has_process(cell.next), "a dead process stays in %s",
				supervision_state_names[state]);
	}
}

Test(supervision, who_is_to_leave_is_never_replaced)
{
	EACH_CELL(state, event)
	{
		struct supervision_cell left = supervision_step(state, SUPERVISION_LEAVE);
		struct supervision_cell cell = supervision_step(left.next, event);

		cr_assert(left.next == SUPERVISION_DRAINING || left.next == SUPERVISION_DEAD);
		if (event != SUPERVISION_START)
			cr_assert(
				cell.next == SUPERVISION_DRAINING || cell.next == SUPERVISION_DEAD);
	}
}

Test(supervision, from_everywhere_but_the_end_a_worker_can_become_ready)
{
	static const enum supervision_event path[SUPERVISION_STATE_MAX][4] = {
		[SUPERVISION_DEAD] = {SUPERVISION_START, SUPERVISION_ALL_READY},
		[SUPERVISION_STARTING] = {SUPERVISION_ALL_READY},
		[SUPERVISION_READY] = {SUPERVISION_ALL_READY},
		[SUPERVISION_HUNG] = {SUPERVISION_EXIT, SUPERVISION_PAUSE_OVER,
			SUPERVISION_ALL_READY},
		[SUPERVISION_DRAINING] = {SUPERVISION_EXIT, SUPERVISION_START,
			SUPERVISION_ALL_READY},
		[SUPERVISION_BACKING_OFF] = {SUPERVISION_PAUSE_OVER, SUPERVISION_ALL_READY},
	};

	for (int from = 0; from < SUPERVISION_STATE_MAX; from++) {
		enum supervision_state state = from;

		for (int i = 0; i < 4 && state != SUPERVISION_READY; i++)
			state = supervision_step(state, path[from][i]).next;
		cr_assert_eq(state, SUPERVISION_READY, "from %s", supervision_state_names[from]);
	}
}

Test(supervision, what_cannot_come_has_no_cell_that_acts)
{
	EACH_CELL(state, event)
	{
		struct supervision_cell cell = supervision_step(state, event);

		cr_assert(supervision_can_come(state, event) || cell.action == SUPERVISION_NOTHING,
			"%s + %s", supervision_state_names[state], supervision_event_names[event]);
		if (event == SUPERVISION_EXIT)
			cr_assert_eq(supervision_can_come(state, event), has_process(state));
	}
}
