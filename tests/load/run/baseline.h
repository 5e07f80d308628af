/* Results that are kept under a name, and comparing with them. */
#ifndef HUBBUB_LOAD_BASELINE_H
#define HUBBUB_LOAD_BASELINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Keeps the result under a name, in $XDG_STATE_HOME/hubbub (~/.local/state/hubbub), or at a path if
 * the name has a '/'. Returns false after a message on stderr. */
bool baseline_save(const char *name, const json_t *result);

/* Whether there is one that can be compared with; if not, a message on stderr says so. */
bool baseline_exists(const char *name);

/* Compares the result with it and prints the verdict. Returns the exit code. */
int baseline_compare(FILE *stream, const char *name, const json_t *result, double max_regress);

#endif
