/* For calls that have no non-blocking form, made when poll(2) has just said that they will not
 * wait: if another process was quicker, a timer interrupts the call before it holds the hub up for
 * long. */
#ifndef HUBBUB_PATCH_BRIEF_PRIV_H
#define HUBBUB_PATCH_BRIEF_PRIV_H

#include <signal.h>
#include <stdbool.h>

struct brief {
	int signal;       /* that the timer sends */
	bool is_timed;    /* there is a timer */
	bool was_blocked; /* the signal, before brief_begin */
};

/* Until brief_end, a system call of this thread that waits fails with EINTR after 0.05 ms or a
 * little more. Where no timer can be had, the call waits. */
void brief_begin(struct brief *brief);

/* Keeps errno. */
void brief_end(struct brief *brief);

#endif
