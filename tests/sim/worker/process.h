/* Processes in the simulated world: each is a fiber that runs worker_run. Fork, death and wait are
 * what spawn_worker, its pidfd and waitid(2) show of them. A process that is killed goes on: the
 * master kills only those that it has told to stop, and they must end soon by themselves. */
#ifndef HUBBUB_TESTS_SIM_WORKER_PROCESS_H
#define HUBBUB_TESTS_SIM_WORKER_PROCESS_H

#include <stdint.h>

/* Forgets the processes of the last world. */
void processes_begin(void);

/* The calling thread computes for so long, and its coroutines wait. */
void process_block(int64_t nanoseconds);

/* How many processes live; and how many do, or were not waited for. */
unsigned processes_living(void);
unsigned processes_count(void);

/* How many have ended with another code than 0, and how many have not ended soon though they were
 * killed. */
unsigned processes_failed(void);
unsigned processes_hung(void);

#endif
