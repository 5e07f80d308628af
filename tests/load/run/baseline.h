/* Results that are kept under a name, to compare later results with. */
#ifndef HUBBUB_LOAD_BASELINE_H
#define HUBBUB_LOAD_BASELINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Stores the result under name, in $XDG_STATE_HOME/hubbub (~/.local/state/hubbub), or at the path
 * if name has a '/'. Returns false after a message on stderr. */
bool baseline_save(const char *name, const json_t *result);

/* Whether a baseline of that name exists and can be compared with. If not, a message on stderr says
 * so. */
bool baseline_exists(const char *name);

/* Compares the result with the baseline and prints the verdict to stream. Returns the exit code. */
int baseline_compare(FILE *stream, const char *name, const json_t *result, double max_regress);

#endif
