/* The table, with a cell for every pair of state and event. The function is pure: the slot sets the
 * state and acts. Events that cannot happen, or come too late, keep the state and do nothing. */
#include "master/fleet/supervision.h"

#include "hub/base/check.h"

const char *const supervision_state_names[SUPERVISION_STATE_MAX] = {
	[SUPERVISION_DEAD] = "dead",
	[SUPERVISION_STARTING] = "starting",
	[SUPERVISION_READY] = "ready",
	[SUPERVISION_HUNG] = "hung",
	[SUPERVISION_DRAINING] = "draining",
	[SUPERVISION_BACKING_OFF] = "backing off",
};

const char *const supervision_event_names[SUPERVISION_EVENT_MAX] = {
	[SUPERVISION_START] = "start",
	[SUPERVISION_FORK_FAILED] = "fork failed",
	[SUPERVISION_ALL_READY] = "all ready",
	[SUPERVISION_SILENT] = "silent",
	[SUPERVISION_HEARD] = "heard",
	[SUPERVISION_HANG_TIMEOUT] = "hang timeout",
	[SUPERVISION_EXIT] = "exit",
	[SUPERVISION_PAUSE_OVER] = "pause over",
	[SUPERVISION_LEAVE] = "leave",
};

#define CELL(does, becomes)                                                                        \
	{                                                                                          \
		SUPERVISION_##does, SUPERVISION_##becomes                                          \
	}

/* Every cell is written out, so that a new event or state must be decided everywhere. */
static const struct supervision_cell table[SUPERVISION_STATE_MAX][SUPERVISION_EVENT_MAX] =
	{
		[SUPERVISION_DEAD] =
			{
				[SUPERVISION_START] = CELL(SPAWN, STARTING),
				[SUPERVISION_FORK_FAILED] = CELL(NOTHING, DEAD),
				[SUPERVISION_ALL_READY] = CELL(NOTHING, DEAD),
				[SUPERVISION_SILENT] = CELL(NOTHING, DEAD),
				[SUPERVISION_HEARD] = CELL(NOTHING, DEAD),
				[SUPERVISION_HANG_TIMEOUT] = CELL(NOTHING, DEAD),
				[SUPERVISION_EXIT] = CELL(NOTHING, DEAD),
				[SUPERVISION_PAUSE_OVER] = CELL(NOTHING, DEAD),
				[SUPERVISION_LEAVE] = CELL(NOTHING, DEAD),
			},
		[SUPERVISION_STARTING] =
			{
				[SUPERVISION_START] = CELL(NOTHING, STARTING),
				[SUPERVISION_FORK_FAILED] = CELL(BACK_OFF, BACKING_OFF),
				[SUPERVISION_ALL_READY] = CELL(SERVE, READY),
				[SUPERVISION_SILENT] = CELL(NOTHING, STARTING),
				[SUPERVISION_HEARD] = CELL(NOTHING, STARTING),
				[SUPERVISION_HANG_TIMEOUT] = CELL(KILL, STARTING),
				[SUPERVISION_EXIT] = CELL(REPLACE, BACKING_OFF),
				[SUPERVISION_PAUSE_OVER] = CELL(NOTHING, STARTING),
				[SUPERVISION_LEAVE] = CELL(TELL, DRAINING),
			},
		[SUPERVISION_READY] =
			{
				[SUPERVISION_START] = CELL(NOTHING, READY),
				[SUPERVISION_FORK_FAILED] = CELL(NOTHING, READY),
				[SUPERVISION_ALL_READY] = CELL(NOTHING, READY),
				[SUPERVISION_SILENT] = CELL(STEER_AROUND, HUNG),
				[SUPERVISION_HEARD] = CELL(NOTHING, READY),
				[SUPERVISION_HANG_TIMEOUT] = CELL(NOTHING, READY),
				[SUPERVISION_EXIT] = CELL(REPLACE, BACKING_OFF),
				[SUPERVISION_PAUSE_OVER] = CELL(NOTHING, READY),
				[SUPERVISION_LEAVE] = CELL(TELL, DRAINING),
			},
		[SUPERVISION_HUNG] =
			{
				[SUPERVISION_START] = CELL(NOTHING, HUNG),
				[SUPERVISION_FORK_FAILED] = CELL(NOTHING, HUNG),
				[SUPERVISION_ALL_READY] = CELL(NOTHING, HUNG),
				[SUPERVISION_SILENT] = CELL(STEER_AROUND, HUNG),
				[SUPERVISION_HEARD] = CELL(REJOIN, READY),
				[SUPERVISION_HANG_TIMEOUT] = CELL(KILL, HUNG),
				[SUPERVISION_EXIT] = CELL(REPLACE, BACKING_OFF),
				[SUPERVISION_PAUSE_OVER] = CELL(NOTHING, HUNG),
				[SUPERVISION_LEAVE] = CELL(TELL, DRAINING),
			},
		[SUPERVISION_DRAINING] =
			{
				[SUPERVISION_START] = CELL(NOTHING, DRAINING),
				[SUPERVISION_FORK_FAILED] = CELL(NOTHING, DRAINING),
				[SUPERVISION_ALL_READY] = CELL(NOTHING, DRAINING),
				/* The generation's deadline ends a hung worker that drains. */
				[SUPERVISION_SILENT] = CELL(NOTHING, DRAINING),
				[SUPERVISION_HEARD] = CELL(NOTHING, DRAINING),
				[SUPERVISION_HANG_TIMEOUT] = CELL(NOTHING, DRAINING),
				[SUPERVISION_EXIT] = CELL(RETIRE, DEAD),
				[SUPERVISION_PAUSE_OVER] = CELL(NOTHING, DRAINING),
				/* A draining worker may be told to stop. */
				[SUPERVISION_LEAVE] = CELL(TELL, DRAINING),
			},
		[SUPERVISION_BACKING_OFF] =
			{
				[SUPERVISION_START] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_FORK_FAILED] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_ALL_READY] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_SILENT] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_HEARD] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_HANG_TIMEOUT] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_EXIT] = CELL(NOTHING, BACKING_OFF),
				[SUPERVISION_PAUSE_OVER] = CELL(SPAWN, STARTING),
				[SUPERVISION_LEAVE] = CELL(GIVE_UP_PAUSE, DEAD),
			},
};

struct supervision_cell
supervision_step(enum supervision_state state, enum supervision_event event)
{
	struct supervision_cell cell;

	CHECK(state < SUPERVISION_STATE_MAX && event < SUPERVISION_EVENT_MAX);
	cell = table[state][event];
	CHECK_WHY(cell.action != SUPERVISION_NOTHING || cell.next == state,
		"a slot whose state changes has something to do");
	return cell;
}

bool
supervision_can_come(enum supervision_state state, enum supervision_event event)
{
	bool is_paused = state == SUPERVISION_BACKING_OFF;

	switch (event) {
	case SUPERVISION_START:
		return state == SUPERVISION_DEAD;
	case SUPERVISION_FORK_FAILED:
		return state == SUPERVISION_STARTING;
	case SUPERVISION_SILENT:
		return state == SUPERVISION_READY || state == SUPERVISION_HUNG;
	case SUPERVISION_HEARD:
		return state == SUPERVISION_HUNG;
	case SUPERVISION_HANG_TIMEOUT:
		return state == SUPERVISION_STARTING || state == SUPERVISION_HUNG;
	case SUPERVISION_EXIT:
		return state != SUPERVISION_DEAD && !is_paused;
	case SUPERVISION_PAUSE_OVER:
		return is_paused;
	default:
		return true;
	}
}
