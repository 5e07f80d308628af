/* Times calls that may block a hub's thread, for the report. Called only where PATCH_REPORTED is
 * set. */
#ifndef HUBBUB_PATCH_REPORT_PRIV_H
#define HUBBUB_PATCH_REPORT_PRIV_H

#include <stdint.h>

#include "hub/patch/calls_priv.h"

/* The time now, if this thread runs a hub; else 0, and the call is not timed. */
int64_t report_begin(void);

/* Counts the call, which began at that time, if it held the hub up. Keeps errno. */
void report_end(enum patch_call call, int64_t began);

#endif
