/* Whether one result is better or worse than another, and how certain that is. */
#ifndef HUBBUB_LOAD_COMPARE_H
#define HUBBUB_LOAD_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A ratio of medians, with bounds that it lies between in 95 of 100 repetitions (bootstrap). */
struct compare_ratio {
	double ratio;
	double low;
	double high;
};

/* The median of new divided by the median of base. Both have at least one sample, and at most 4096,
 * all above 0. The seed determines the drawings. Not for two threads at once: buffers are
 * static. */
struct compare_ratio compare_medians(
	const double *base, size_t base_count, const double *new, size_t new_count, uint64_t seed);

/* Whether a result can be compared: it is valid, and has enough runs or intervals. If not, a
 * message on stream says so. */
bool compare_is_possible(FILE *stream, const json_t *result, const char *name);

/* Prints a table of the changes from base to new, and the verdict: improved, unchanged, regressed,
 * mixed, uncertain, or none. The samples are the runs if both results have 5 or more, else the
 * intervals. A metric has changed if the change is larger than max_regress (a share) and its bounds
 * exclude "the same"; if not, it is uncertain where the bounds include a change larger than
 * max_regress. Returns the exit code: LOAD_BREACHED if anything regressed, LOAD_INVALID if there
 * are too few samples or a result is invalid. */
int compare_results(FILE *stream, const json_t *base, const json_t *new, const char *base_name,
	const char *new_name, double max_regress);

#endif
