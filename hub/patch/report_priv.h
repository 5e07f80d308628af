/* What blocked a hub's thread, though it is patched or might have been. */
#ifndef HUBBUB_PATCH_REPORT_PRIV_H
#define HUBBUB_PATCH_REPORT_PRIV_H

#include <stdint.h>

#include "hub/patch/calls_priv.h"

/* The clock if this call is to be timed: reports are asked for, and this thread runs a hub. 0
 * otherwise. */
int64_t report_begin(void);

/* Counts the call if it took long enough to hold the hub up. Keeps errno. */
void report_end(enum patch_call call, int64_t began);

#endif
