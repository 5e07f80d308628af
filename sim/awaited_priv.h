/* What coroutines wait for: objects of one thread, and their queues of waiters. */
#ifndef HUBBUB_SIM_AWAITED_PRIV_H
#define HUBBUB_SIM_AWAITED_PRIV_H

struct hub_coroutine;
struct hub_waiter;

/* Coroutines of a run have numbers from 1 on, since their ids go on from run to run. */
long number_of(const struct hub_coroutine *coroutine);

/* A coroutine for reports, as: coroutine 7 "client"; valid until the next call. */
const char *name_of(const struct hub_coroutine *coroutine);

/* Looks at an object that a waiting coroutine waits for; word: as its waits have it for dumps. */
void awaited_look_at(const struct hub_coroutine *coroutine, const char *word, const void *object);

/* Looks at a queue of waiters: whoever is in it waits there. */
void awaited_look_at_queue(const struct hub_waiter *first, const char *what);

#endif
