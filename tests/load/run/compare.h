/* Whether one result is better or worse than another, and how sure that is. */
#ifndef HUBBUB_LOAD_COMPARE_H
#define HUBBUB_LOAD_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A ratio of medians, with the bounds that it lies between in 95 of 100 repetitions (bootstrap). */
struct compare_ratio {
	double ratio;
	double low;
	double high;
};

/* The median of new over that of base. Both have at least one sample, all above 0. */
struct compare_ratio compare_medians(
	const double *base, size_t base_count, const double *new, size_t new_count, uint64_t seed);

/* Whether a result can be compared at all; if not, a message says so. */
bool compare_is_possible(FILE *stream, const json_t *result, const char *name);

/* Prints a table of what changed from base to new and the verdict: improved, unchanged, regressed,
 * mixed, uncertain, or none. The samples are the runs, if both have 5 or more, else the intervals.
 * A change is one if it is larger than max_regress and its bounds do not include "the same"; where
 * there is none, what may be larger by its bounds is uncertain. Returns the exit code: 3 if
 * anything regressed, 4 if there are too few samples or one of the results is not valid. */
int compare_results(FILE *stream, const json_t *base, const json_t *new, const char *base_name,
	const char *new_name, double max_regress);

#endif
