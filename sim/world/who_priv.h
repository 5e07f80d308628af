/* Coroutines, as reports name them: 7 "client", by a number from 1 on in its hub, and the name that
 * hub_set_name has given; 7 serve, by the function that it runs, if it has none; 2/7 in the second
 * hub. No address is in it. None of the functions switches. */
#ifndef HUBBUB_SIM_WHO_PRIV_H
#define HUBBUB_SIM_WHO_PRIV_H

#include "hub/coroutine.h"

/* A coroutine, when an event happened; what it points to lasts as long as the program. */
struct who {
	long hub, number; /* 0: none, but the loop, or the world */
	hub_fn *body;
	char name[32];
};

/* From now on the hub of that number runs. */
void who_in_hub(long number);

/* Of a coroutine of this hub; NULL: of none. */
void who_is(struct who *who, const struct hub_coroutine *coroutine);

/* Of the one that runs, if any. */
void who_runs(struct who *who);

#define WHO_SIZE 112

/* Writes it in words, "" for none. Returns text. */
const char *who_write(const struct who *who, char text[WHO_SIZE]);

/* "coroutine " and those words; valid until the next call. */
const char *name_of(const struct hub_coroutine *coroutine);

#endif
