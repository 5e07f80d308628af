/* The life of a worker process as one table: for each state and event, the next state and the
 * action. No other code decides these.
 *
 *	          start               all hubs ready            silent
 *	DEAD ------------> STARTING -----------------> READY <----------> HUNG
 *	  ^                 |    ^                       |      heard       |
 *	  |           exits |    | pause over            | exits            | exits, or is killed
 *	  |                 v    |                       |                  | after the hang timeout
 *	  |              BACKING_OFF <-------------------+------------------+
 *	  |
 *	  +-- exits -- DRAINING <-- leave -- any state with a process
 */
#ifndef HUBBUB_FLEET_SUPERVISION_H
#define HUBBUB_FLEET_SUPERVISION_H

#include <stdbool.h>

enum supervision_state {
	SUPERVISION_DEAD,     /* no process, and no restart is due */
	SUPERVISION_STARTING, /* not all hubs are ready yet */
	SUPERVISION_READY,
	SUPERVISION_HUNG, /* at least one hub gives no sign of life */
	SUPERVISION_DRAINING,
	SUPERVISION_BACKING_OFF, /* the process died; another is forked after a pause */
	SUPERVISION_STATE_MAX
};

enum supervision_event {
	SUPERVISION_START,
	SUPERVISION_FORK_FAILED,
	SUPERVISION_ALL_READY,    /* every hub's loop runs */
	SUPERVISION_SILENT,       /* a hub has given no sign of life for half a second */
	SUPERVISION_HEARD,        /* all hubs give signs of life again */
	SUPERVISION_HANG_TIMEOUT, /* a hub was silent, or the worker was starting, for too long */
	SUPERVISION_EXIT,         /* the process is dead */
	SUPERVISION_PAUSE_OVER,
	SUPERVISION_LEAVE, /* the worker is to drain, hand over, or stop */
	SUPERVISION_EVENT_MAX
};

enum supervision_action {
	SUPERVISION_NOTHING,
	SUPERVISION_SPAWN,
	SUPERVISION_BACK_OFF,     /* start the pause before the next fork */
	SUPERVISION_SERVE,        /* let the worker accept */
	SUPERVISION_STEER_AROUND, /* give the silent hub no new connections */
	SUPERVISION_REJOIN,       /* give the worker new connections again */
	SUPERVISION_KILL,
	SUPERVISION_REPLACE, /* clean up after the process, then BACK_OFF */
	SUPERVISION_TELL,    /* send the message to leave */
	SUPERVISION_RETIRE,  /* clean up after the process, and leave the slot empty */
	SUPERVISION_GIVE_UP_PAUSE,
	SUPERVISION_ACTION_MAX
};

struct supervision_cell {
	enum supervision_action action;
	enum supervision_state next;
};

extern const char *const supervision_state_names[SUPERVISION_STATE_MAX];
extern const char *const supervision_event_names[SUPERVISION_EVENT_MAX];

/* The action and the next state for an event in a state. */
struct supervision_cell supervision_step(
	enum supervision_state state, enum supervision_event event);

/* Whether the event belongs to the state: as far as the master itself causes events, no other may
 * come. What a worker says, and orders to leave, come at any time. */
bool supervision_can_come(enum supervision_state state, enum supervision_event event);

#endif
