/* A call of a function of the service that may wait, such as a hook: in a coroutine of its own,
 * which is killed when the call's time is over. */
#ifndef HUBBUB_WORKER_CALL_H
#define HUBBUB_WORKER_CALL_H

#include "worker/state.h"

/* The text of a function of the service that has returned this, and not NULL, so it has failed. */
static inline const char *
call_reason(const char *why)
{
	return why[0] != '\0' ? why : "it gives no reason";
}

/* How long a call may last. */
struct call_limit {
	/* The clock from which the call is killed, or HUB_FOREVER; asked again whenever changed is
	 * set. */
	int64_t (*until)(const void *context);
	const void *context;
	struct hub_event *changed; /* also set when the call has returned */
};

struct call {
	const char *name; /* of its coroutine */
	hubbub_hook *function;
	void *context;
	struct call_limit limit;
	bool has_returned;       /* by itself, before it was killed */
	char why[MEMO_WHY_SIZE]; /* call_reason of its text; "" if it has succeeded or was killed */
};

/* Makes the call, and waits for its end, also after a kill: a call that does not end then holds the
 * caller. A call whose time is over does not begin. Returns whether the function has returned NULL
 * by itself; if not, why is its text, or "" if it was killed. Switches: yes. */
bool call_run(struct call *call);

#endif
