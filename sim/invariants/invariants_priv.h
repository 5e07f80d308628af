/* What must hold whenever nothing is runnable, and at the end of a run. What does not is a failure
 * of the run, in a sentence that names coroutine and object. */
#ifndef HUBBUB_SIM_INVARIANTS_PRIV_H
#define HUBBUB_SIM_INVARIANTS_PRIV_H

#include <stdbool.h>
#include <stddef.h>

struct hub;
struct hub_coroutine;
struct wait;

/* The running coroutine has begun to wait. */
void invariants_note_wait(const struct hub_coroutine *coroutine, const struct wait *wait);

/* This thread's hub has nothing to run, its loop has called all that is ready, and time is about to
 * pass. In a hub with much to look at this looks only now and then. */
void invariants_look(void);

/* The same, but it always looks. */
void invariants_look_at_all(void);

/* This thread's hub has run. */
void invariants_hub_ends(void);

/* That hub will never go on. */
void invariants_forget(const struct hub *hub);

/* The run ends. */
void invariants_end(void);

#endif
