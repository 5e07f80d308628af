/* The table of counted.h as data, one entry for each row, by number; behind them the metrics of the
 * service; and behind these its listeners. */
#ifndef HUBBUB_WORKER_CATALOG_H
#define HUBBUB_WORKER_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/listened.h"
#include "worker/metrics.h"
#include "worker/segment.h"

/* These numbers lie in shared memory, which other releases read. */
enum catalog_kind {
	CATALOG_COUNTER,
	CATALOG_PEAK,
	CATALOG_GAUGE,
	CATALOG_HISTOGRAM,
	CATALOG_LISTENER /* the numbers of listened.h */
};

/* The columns of counted.h; the comment there says what each of them means. Of a listener only
 * field, kind and place are set. */
struct catalog_entry {
	const char *field; /* of a service's metric or a listener: its name */
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

#define CATALOG_LISTENERS_MAX 16 /* of a service with more the last ones are not counted */
#define CATALOG_MAX (COUNTED_MAX + HUBBUB_METRICS_MAX + CATALOG_LISTENERS_MAX)
#define CATALOG_FAULT_SIZE 256
/* Room for any metric's name in /metrics, of which HUBBUB_METRIC_NAME_MAX are the name's own. */
#define CATALOG_NAME_SIZE 96

extern struct catalog_entry catalog[CATALOG_MAX];
extern unsigned catalog_size;
/* The number of the first listener, and of the first entry behind the service's metrics. */
extern unsigned catalog_listeners;

/* Checks the metrics of a service; NULL for none. Returns false, and in fault a sentence that names
 * the faulty one. */
bool catalog_check(const struct hubbub_metric *metrics, char fault[static CATALOG_FAULT_SIZE]);

/* Adds the metrics of the service, which must be sound, and are borrowed for good: before the
 * process makes or maps counters. NULL removes those that were added. */
void catalog_add_service(const struct hubbub_metric *metrics);

/* Adds a listener of the service, LISTENED_UNNAMED for those without a name; does nothing if there
 * is no room. Called after catalog_add_service, which removes listeners. The name is borrowed for
 * good. */
void catalog_add_listener(const char *name);

/* The place in a row where the listener of that name is counted; -1 if it is not. */
int catalog_find_listener(const char *name);

/* How many places a metric of this kind takes. */
static inline unsigned
catalog_places(enum catalog_kind kind)
{
	switch (kind) {
	case CATALOG_HISTOGRAM:
		return BUCKETS_PLACES;
	case CATALOG_LISTENER:
		return LISTENED_ROOM;
	default:
		return 1;
	}
}

/* The first place behind the last entry: rows of this program count in places below it. */
unsigned catalog_end(void);

/* What the metric's name in /metrics begins with. */
const char *catalog_prefix(const struct catalog_entry *entry);

/* The name that a metric had in the release before, under which it is told, too: whoever watches a
 * server renames it after the upgrade. NULL if it had none. */
const char *catalog_former_name(const struct catalog_entry *entry);

/* A number of a row, which must be of this program's layout: as it is counted, and in the metric's
 * unit. Not of a histogram or a listener. */
uint64_t catalog_count(const struct worker_row *row, unsigned number);
double catalog_value(const struct worker_row *row, unsigned number);

/* A histogram of a row, which must be of this program's layout. */
const struct buckets *catalog_buckets(const struct worker_row *row, unsigned number);

/* A number of a listener, by its place in listened.h, of a row of this program's layout. */
uint64_t catalog_listened(const struct worker_row *row, unsigned number, unsigned what);

#endif
