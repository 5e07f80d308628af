/* Calls that have no form that does not wait, and of which poll(2) has just said that they need
 * not: if somebody else was quicker, the call is interrupted before it holds the hub up for
 * long. */
#ifndef HUBBUB_PATCH_BRIEF_PRIV_H
#define HUBBUB_PATCH_BRIEF_PRIV_H

#include <signal.h>
#include <stdbool.h>

struct brief {
	int signal;
	bool is_timed;
	bool was_blocked;
};

/* Until brief_end, a system call of this thread that waits fails with EINTR after a twentieth of a
 * millisecond or a little more. Where no timer can be had, it waits. */
void brief_begin(struct brief *brief);

/* Keeps errno. */
void brief_end(struct brief *brief);

#endif
