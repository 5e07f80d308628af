/* The life of a worker process as one table: in each state, what each event leads to and what is
 * done. No code elsewhere decides that.
 *
 *	          start               all hubs ready            silent
 *	DEAD ------------> STARTING -----------------> READY <----------> HUNG
 *	  ^                 |    ^                       |      heard       |
 *	  |           exits |    | pause over            | exits            | exits, or is killed
 *	  |                 v    |                       |                  | after the hang timeout
 *	  |              BACKING_OFF <-------------------+------------------+
 *	  |
 *	  +-- exits -- DRAINING <-- leave -- any that has a process
 */
#ifndef HUBBUB_FLEET_SUPERVISION_H
#define HUBBUB_FLEET_SUPERVISION_H

enum supervision_state {
	SUPERVISION_DEAD, /* no process, and none will come by itself */
	SUPERVISION_STARTING,
	SUPERVISION_READY,
	SUPERVISION_HUNG, /* at least one hub gives no sign of life */
	SUPERVISION_DRAINING,
	SUPERVISION_BACKING_OFF, /* it died; another one is started after a pause */
	SUPERVISION_STATE_MAX
};

enum supervision_event {
	SUPERVISION_START,
	SUPERVISION_FORK_FAILED,
	SUPERVISION_ALL_READY,    /* every hub's loop runs */
	SUPERVISION_SILENT,       /* a hub has given no sign of life for half a second */
	SUPERVISION_HEARD,        /* all hubs give signs of life again */
	SUPERVISION_HANG_TIMEOUT, /* silent, or starting, for too long */
	SUPERVISION_EXIT,         /* the process is dead */
	SUPERVISION_PAUSE_OVER,
	SUPERVISION_LEAVE, /* it is to drain, hand over, or stop */
	SUPERVISION_EVENT_MAX
};

enum supervision_action {
	SUPERVISION_NOTHING,
	SUPERVISION_SPAWN,
	SUPERVISION_BACK_OFF, /* start the pause after which another is spawned */
	SUPERVISION_SERVE,    /* count it among those that serve */
	SUPERVISION_STEER_AROUND,
	SUPERVISION_REJOIN,
	SUPERVISION_KILL,
	SUPERVISION_REPLACE, /* clean up after it, then as BACK_OFF */
	SUPERVISION_TELL,    /* tell it to leave */
	SUPERVISION_RETIRE,  /* clean up after it, for good */
	SUPERVISION_GIVE_UP_PAUSE,
	SUPERVISION_ACTION_MAX
};

struct supervision_cell {
	enum supervision_action action;
	enum supervision_state next;
};

extern const char *const supervision_state_names[SUPERVISION_STATE_MAX];
extern const char *const supervision_event_names[SUPERVISION_EVENT_MAX];

/* What an event leads to in a state. */
struct supervision_cell supervision_step(
	enum supervision_state state, enum supervision_event event);

#endif
