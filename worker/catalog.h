/* What is known of each counter: the table of counted.h as data, by number. */
#ifndef HUBBUB_WORKER_CATALOG_H
#define HUBBUB_WORKER_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/segment.h"

enum catalog_kind { CATALOG_COUNTER, CATALOG_GAUGE };

struct catalog_entry {
	const char *field;
	enum catalog_kind kind;
	int64_t unit;
	const char *metric;
	const char *label;
	const char *help;
	const char *total;
	bool in_hubs;
	bool is_server;
	unsigned place; /* the index of its field in worker_row.counts */
};

extern const struct catalog_entry catalog[COUNTED_MAX];

/* What a row of this program's layout has of it, as it is counted, and in the metric's unit. */
uint64_t catalog_count(const struct worker_row *row, enum counted_number number);
double catalog_value(const struct worker_row *row, enum counted_number number);

#endif
