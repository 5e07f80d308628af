/* The cases of selects. */
#ifndef HUBBUB_SIM_CASES_PRIV_H
#define HUBBUB_SIM_CASES_PRIV_H

struct hub;
struct hub_coroutine;

/* Looks at each case of a coroutine that waits in a select. */
void cases_look(const struct hub_coroutine *coroutine);

/* The hub's selects will never return. */
void cases_forget(const struct hub *hub);

/* The run ends. */
void cases_end(void);

#endif
