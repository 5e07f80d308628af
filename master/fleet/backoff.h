/* The pause of a slot between the death of a worker and the next fork. */
#ifndef HUBBUB_FLEET_BACKOFF_H
#define HUBBUB_FLEET_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACKOFF_FIRST 0.1      /* seconds */
#define BACKOFF_MAX 10.        /* seconds, while other workers serve */
#define BACKOFF_MAX_ALONE 0.25 /* seconds, while none does */

/* Returns the pause in seconds, after a worker that was ready for served nanoseconds. A worker that
 * served for half a second is replaced at once. Otherwise *failures is incremented, and the pause
 * doubles with each failure. */
double backoff_pause(unsigned *failures, int64_t served, bool others_serve);

#endif
