/* What coroutines wait for: objects of one thread, and their queues of waiters. */
#ifndef HUBBUB_SIM_AWAITED_PRIV_H
#define HUBBUB_SIM_AWAITED_PRIV_H

struct hub_coroutine;
struct hub_waiter;

/* Looks at an object that a waiting coroutine waits for; word: as its waits have it for dumps. */
void awaited_look_at(const struct hub_coroutine *coroutine, const char *word, const void *object);

/* Looks at a queue of waiters: whoever is in it waits there. */
void awaited_look_at_queue(const struct hub_waiter *first, const char *what);

#endif
