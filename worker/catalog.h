/* The table of counted.h as data, one entry for each row, by number; and behind them the metrics of
 * the service. */
#ifndef HUBBUB_WORKER_CATALOG_H
#define HUBBUB_WORKER_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/metrics.h"
#include "worker/segment.h"

/* These numbers lie in shared memory, which other releases read. */
enum catalog_kind { CATALOG_COUNTER, CATALOG_PEAK, CATALOG_GAUGE, CATALOG_HISTOGRAM };

/* The columns of counted.h; the comment there says what each of them means. */
struct catalog_entry {
	const char *field; /* of a service's metric: its name */
	enum catalog_kind kind;
	int64_t unit; /* a count divided by this is the metric's value */
	const char *metric;
	const char *label; /* or NULL */
	const char *help;  /* or NULL: the entry before has it */
	const char *total; /* or NULL */
	bool in_hubs;
	bool is_server;  /* one counter for the whole server, not one in each hub */
	bool is_service; /* the service's own metric */
	unsigned place;  /* the index of its first count in worker_row.counts */
};

#define CATALOG_MAX (COUNTED_MAX + HUBBUB_METRICS_MAX)
#define CATALOG_FAULT_SIZE 256

extern struct catalog_entry catalog[CATALOG_MAX];
extern unsigned catalog_size;

/* Checks the metrics of a service; NULL for none. Returns false, and in fault a sentence that names
 * the faulty one. */
bool catalog_check(const struct hubbub_metric *metrics, char fault[static CATALOG_FAULT_SIZE]);

/* Adds the metrics of the service, which must be sound, and are borrowed for good: before the
 * process makes or maps counters. NULL removes those that were added. */
void catalog_add_service(const struct hubbub_metric *metrics);

/* How many places a metric of this kind takes. */
static inline unsigned
catalog_places(enum catalog_kind kind)
{
	return kind == CATALOG_HISTOGRAM ? BUCKETS_PLACES : 1;
}

/* What the metric's name in /metrics begins with. */
const char *catalog_prefix(const struct catalog_entry *entry);

/* The name that a metric had in the release before, under which it is told, too: whoever watches a
 * server renames it after the upgrade. NULL if it had none. */
const char *catalog_former_name(const struct catalog_entry *entry);

/* A number of a row, which must be of this program's layout: as it is counted, and in the metric's
 * unit. Not of a histogram. */
uint64_t catalog_count(const struct worker_row *row, unsigned number);
double catalog_value(const struct worker_row *row, unsigned number);

/* A histogram of a row, which must be of this program's layout. */
const struct buckets *catalog_buckets(const struct worker_row *row, unsigned number);

#endif
