/* How long a slot stays empty after its worker died. */
#ifndef HUBBUB_FLEET_BACKOFF_H
#define HUBBUB_FLEET_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_FIRST 0.1      /* seconds */
#define BACKOFF_MAX 10.        /* while others serve */
#define BACKOFF_MAX_ALONE 0.25 /* while nobody does */

/* The pause in seconds before the next start, after a worker that served (was ready) for so many
 * nanoseconds. One that served for half a second is replaced at once; otherwise *failures counts
 * on, and the pause doubles from crash to crash. */
double backoff_pause(unsigned *failures, int64_t served, bool others_serve);

#endif
