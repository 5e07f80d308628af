/* What the pools of threads (threads.c) tell the calls of programs. */
#ifndef HUBBUB_SIM_JOB_PRIV_H
#define HUBBUB_SIM_JOB_PRIV_H

#include <stdbool.h>

/* Whether a job runs that stands for one of a thread, which may block. */
bool threads_run_a_job(void);

#endif
