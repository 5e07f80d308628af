/* Counters in shared memory, as a master makes them, for suites about what lies there. */
#ifndef HUBBUB_TESTS_UNIT_WORKER_SHARED_H
#define HUBBUB_TESTS_UNIT_WORKER_SHARED_H

#include "worker/counters.h"

extern struct counters *counters;
extern int shared_file; /* by which another process maps them */

/* A suite's .init and .fini. */
void shared_begin(void);
void shared_end(void);

#endif
