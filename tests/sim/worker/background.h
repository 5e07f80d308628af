/* Background functions of the simulated servers: one in each hub, and one of the server, of which
 * there must never be two. Leases are kept here, in the place of worker/lease: the kernel's record
 * locks belong to a real process. */
#ifndef HUBBUB_TESTS_SIM_WORKER_BACKGROUND_H
#define HUBBUB_TESTS_SIM_WORKER_BACKGROUND_H

#include <stdbool.h>

#include "worker/background.h"

extern const struct hubbub_background backgrounds[];

/* Forgets what was. */
void background_begin(void);

/* Whether two processes have run the one of the server at once. */
bool background_were_two(void);

#endif
