/* A descriptor that a process keeps for what must be had also when its files have run out: one that
 * a message brings, the log that is reopened.
 *
 * Another thread may be faster with the number that was given free; whoever cannot have it then
 * asks again, later. */
#ifndef HUBBUB_WORKER_SPARE_H
#define HUBBUB_WORKER_SPARE_H

#include <stdbool.h>

/* Keeps one from now on, if none is kept and one can be had. Any thread. Keeps errno. */
void spare_keep(void);

/* Gives it free, for the caller's next call. Returns whether one was kept. Any thread. */
bool spare_release(void);

/* In a new process, which has closed what it inherited: none is kept. */
void spare_forget(void);

#endif
