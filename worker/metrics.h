/* <hubbub/metrics.h>: metrics of a service's own.
 *
 *	enum { KEYS, LOOKUPS, LOOKUP_TIME };
 *
 *	static const struct hubbub_metric metrics[] = {
 *		[KEYS] = {.name = "store_keys", .help = "Keys.", .kind = HUBBUB_GAUGE},
 *		[LOOKUPS] = {.name = "store_lookups_total", .help = "Lookups."},
 *		[LOOKUP_TIME] = {.name = "store_lookup_seconds", .help = "How long they took.",
 *			.kind = HUBBUB_HISTOGRAM, .unit = HUBBUB_SECONDS},
 *		{0},
 *	};
 *
 *	... hubbub_count(LOOKUPS, 1); hubbub_record(LOOKUP_TIME, hub_now() - began); ...
 *
 * They are in /metrics for each hub, with the names of the table, and added up in /stats.json, on
 * the status page, and in hubbub-ctl status and top. Each hub has numbers of its own, so adding
 * takes some nanoseconds and no lock. What a dead process has counted still counts, after reloads
 * and upgrades, too; its gauges do not. After an upgrade a metric goes on if the new program has
 * one of the same name and kind; one of another kind is another metric, which begins at 0.
 *
 * Requests have a histogram without any of this: see hubbub_busy. */
#ifndef HUBBUB_METRICS_H
#define HUBBUB_METRICS_H

#include <hubbub/api.h>
#include <stdint.h>

HUBBUB_API_BEGIN

/* What a metric is. */
enum hubbub_metric_kind {
	HUBBUB_COUNTER,  /* only grows, such as requests; its name ends in _total */
	HUBBUB_GAUGE,    /* goes up and down, such as keys in a store */
	HUBBUB_HISTOGRAM /* of values, such as sizes and durations */
};

/* What a value counts. */
enum hubbub_unit {
	HUBBUB_ONES,   /* items, bytes, ... */
	HUBBUB_SECONDS /* nanoseconds, told in seconds; the name has _seconds at its end */
};

#define HUBBUB_METRICS_MAX 64
#define HUBBUB_METRIC_NAME_MAX 63 /* bytes */

/* A metric: a row of the table `metrics` of struct hubbub_service, which ends with a row without a
 * name. The index of the row is what the functions below call metric. Use designated initialisers,
 * because later versions may add fields. A table with more than
 * HUBBUB_METRICS_MAX rows, or with more than five histograms, is refused at the start. */
struct hubbub_metric {
	/* Letters, digits and '_'. Names that begin with hubbub_ or scrape_, and such as
	 * Prometheus gives to parts of a histogram (_bucket, _count, _sum), are refused. */
	const char *name;
	const char *help; /* a sentence in a line */
	enum hubbub_metric_kind kind;
	enum hubbub_unit unit;
	void *room[4]; /* for later versions: NULL */
};

/* Adds to a counter.
 * Switches: no; some nanoseconds.  In a server's hub, from any coroutine; elsewhere (other threads,
 * unit tests of a service) it does nothing.  Errors: none; a metric that the table does not have,
 * or that is no counter, ends the process. */
void hubbub_count(unsigned metric, uint64_t amount);

/* Adds to this hub's part of a gauge. The gauge is the sum over all hubs of all living workers; the
 * part of a hub that has ended is 0.
 * Switches, where, errors: as hubbub_count. */
void hubbub_gauge_add(unsigned metric, int64_t amount);

/* Sets this hub's part of a gauge.
 * Switches, where, errors: as hubbub_count. */
void hubbub_gauge_set(unsigned metric, int64_t value);

/* Records a value in a histogram, to 6.25 %: a value below 0 counts as 0, one above 2^42 (73
 * minutes in nanoseconds) as 2^42.
 * Switches, where, errors: as hubbub_count. */
void hubbub_record(unsigned metric, int64_t value);

HUBBUB_API_END

#endif
