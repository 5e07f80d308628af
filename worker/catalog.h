/* The table of counted.h as data: one entry for each counter, by number. */
#ifndef HUBBUB_WORKER_CATALOG_H
#define HUBBUB_WORKER_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

enum catalog_kind { CATALOG_COUNTER, CATALOG_GAUGE };

/* The columns of counted.h; the comment there says what each of them means. */
struct catalog_entry {
	const char *field;
	enum catalog_kind kind;
	int64_t unit; /* a count divided by this is the metric's value */
	const char *metric;
	const char *label; /* or NULL */
	const char *help;  /* or NULL: the entry before has it */
	const char *total; /* or NULL */
	bool in_hubs;
	bool is_server; /* one counter for the whole server, not one in each hub */
	unsigned place; /* the index of its field in worker_row.counts */
};

extern const struct catalog_entry catalog[COUNTED_MAX];

/* The name that a metric had in the release before, under which it is told, too: whoever watches a
 * server renames it after the upgrade. NULL if it had none. */
const char *catalog_former_name(const char *metric);

/* A counter of a row, which must be of this program's layout: as it is counted, and in the metric's
 * unit. */
uint64_t catalog_count(const struct worker_row *row, enum counted_number number);
double catalog_value(const struct worker_row *row, enum counted_number number);

#endif
