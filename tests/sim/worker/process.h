/* Processes in the simulated world: each is a fiber that runs worker_run. Fork, death and wait are
 * what spawn_worker, its pidfd and waitid(2) show of them. */
#ifndef HUBBUB_TESTS_SIM_WORKER_PROCESS_H
#define HUBBUB_TESTS_SIM_WORKER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Forgets the processes of the last world, and opens the first one's log. */
void processes_begin(void);

/* Closes it. */
void processes_end(void);

/* The calling thread computes for so long, and its coroutines wait. */
void process_block(int64_t nanoseconds);

/* How many processes live; and whether any does, or was not waited for. */
unsigned processes_living(void);
bool processes_are_left(void);

/* How many have ended in other ways than by themselves with code 0. */
struct processes_deaths {
	unsigned failed; /* with another code */
	unsigned sudden; /* by SIGKILL, or by _exit */
	unsigned hung; /* of those, by the master or as orphans, though nothing had held them up */
};
struct processes_deaths processes_deaths(void);

/* One that is drawn is killed, in the midst of what it does; or stopped for so long. */
void processes_kill_one(void);
void processes_stop_one(int64_t nanoseconds);

/* Until now nobody could do anything: the machine stood still. */
void processes_held(void);

/* Whether one of them was stopped, or computed, after that time, so that it noticed nothing. */
bool processes_were_held_since(int64_t since);

/* Their master has died: the kernel tells them. */
void processes_orphan(void);

#endif
