/* counted.h expanded into one array, which has room for the service's metrics. A static assertion
 * for each way in which the table and struct worker_row could disagree: a counter without a row, a
 * row without room, closed before opened. */
#include "worker/catalog.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/room.h"

#define PLACE_AT(offset) (((offset)-offsetof(struct worker_row, counts)) / sizeof(uint64_t))
#define PLACE(field) PLACE_AT(offsetof(struct worker_row, field))
#define ROW(path, of_server, field, kind, unit, metric, label, help, total, in_hubs)               \
	[COUNTED_##field] = {#field, CATALOG_##kind, unit, metric, label, help, total, in_hubs,    \
		of_server, false, PLACE(path)},
#define SERVER_ROW(field, ...) ROW(field, true, field, __VA_ARGS__)
#define HUB_ROW(field, ...) ROW(hub.field, false, field, __VA_ARGS__)
#define WORKER_ROW(field, ...) ROW(field, false, field, __VA_ARGS__)

struct catalog_entry catalog[CATALOG_MAX] = {COUNTED(SERVER_ROW, HUB_ROW, WORKER_ROW)};
unsigned catalog_size = COUNTED_MAX;
unsigned catalog_listeners = COUNTED_MAX;

/* The first place behind this table's rows: the last of them is a histogram. */
#define OWN_PLACES PLACE_AT(offsetof(struct worker_row, requests) + sizeof(struct buckets))

/* Until 0.2. */
static const struct {
	const char *metric;
	const char *former;
} renamed[] = {{"handed_off_total", "handed_total"}, {"stalls_total", "late_total"}};

const char *
catalog_former_name(const struct catalog_entry *entry)
{
	for (size_t i = 0; i < sizeof renamed / sizeof renamed[0]; i++)
		if (!entry->is_service && strcmp(renamed[i].metric, entry->metric) == 0)
			return renamed[i].former;
	return NULL;
}

#define ONE(...) +1
#define NONE(...)
#define SIZE(field, kind, ...) +sizeof(COUNTED_TYPE_##kind)
_Static_assert(sizeof(struct hub_counters) == sizeof(uint64_t) * (1 COUNTED(NONE, ONE, NONE)),
	"all that a hub counts, busy_since apart, has a row");
_Static_assert(
	sizeof(struct hub_counters) COUNTED(SIZE, NONE, SIZE) == OWN_PLACES * sizeof(uint64_t),
	"requests is the last row");
_Static_assert(OWN_PLACES + 5 * BUCKETS_PLACES + 32 <= COUNTED_ROOM,
	"a row has room for five histograms of a service, and some numbers");
_Static_assert(COUNTED_MAX == COUNTED_SINGLE_MAX + 1, "only the last row is a histogram");
_Static_assert(CATALOG_MAX < LAYOUT_ENTRIES, "a layout has room for the whole catalog, and an end");
_Static_assert(HUBBUB_METRIC_NAME_MAX < LAYOUT_NAME_SIZE, "names fit into layouts");
_Static_assert(COUNTED_closed - COUNTED_accepted == 2, "counters_flow reads no more than it must");
_Static_assert(COUNTED_closed > COUNTED_opened,
	"a reader from the last counter to the first sees nothing closed that was not opened");

/* ---- the service's metrics ---- */

static enum catalog_kind
kind_of(const struct hubbub_metric *metric)
{
	static const enum catalog_kind kinds[] = {[HUBBUB_COUNTER] = CATALOG_COUNTER,
		[HUBBUB_GAUGE] = CATALOG_GAUGE,
		[HUBBUB_HISTOGRAM] = CATALOG_HISTOGRAM};

	return kinds[metric->kind];
}

static bool
begins_with(const char *name, const char *start)
{
	return strncmp(name, start, strlen(start)) == 0;
}

static bool
ends_with(const char *name, const char *end)
{
	return strlen(name) >= strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

static bool
is_name(const char *name)
{
	for (const char *each = name; *each != '\0'; each++)
		if (!isascii(*each) || (!isalnum((unsigned char)*each) && *each != '_'))
			return false;
	return *name != '\0' && !isdigit((unsigned char)*name) &&
	       strlen(name) <= HUBBUB_METRIC_NAME_MAX;
}

/* Prometheus's own, and ours. */
static bool
is_reserved(const char *name)
{
	return begins_with(name, "hubbub_") || begins_with(name, "scrape_") ||
	       strcmp(name, "up") == 0 || ends_with(name, "_bucket") || ends_with(name, "_count") ||
	       ends_with(name, "_sum");
}

static bool
is_help(const char *help)
{
	if (help == NULL || *help == '\0')
		return false;
	for (; *help != '\0'; help++)
		if (!isascii(*help) || !isprint((unsigned char)*help) || *help == '\\')
			return false;
	return true;
}

/* Returns what is wrong with a metric's name, for its kind and unit; NULL if it is sound. */
static const char *
name_fault(const struct hubbub_metric *metric)
{
	bool has_seconds =
		ends_with(metric->name, "_seconds") || ends_with(metric->name, "_seconds_total");

	if (!is_name(metric->name))
		return "a name has 1 to 63 letters, digits and '_', and begins with no digit";
	if (is_reserved(metric->name))
		return "choose a name that does not begin with hubbub_ or scrape_, is not 'up', "
		       "and does not end in _bucket, _count or _sum";
	if ((metric->kind == HUBBUB_COUNTER) != ends_with(metric->name, "_total"))
		return "the name of a counter ends in _total, and no other one does";
	if ((metric->unit == HUBBUB_SECONDS) != has_seconds)
		return "with HUBBUB_SECONDS, and only then, the name ends in _seconds, or "
		       "_seconds_total";
	return NULL;
}

/* Returns what is wrong with a metric; NULL if nothing is. */
static const char *
metric_fault(const struct hubbub_metric *metrics, const struct hubbub_metric *metric)
{
	if ((unsigned)metric->kind > HUBBUB_HISTOGRAM)
		return "its kind is none of enum hubbub_metric_kind";
	if ((unsigned)metric->unit > HUBBUB_SECONDS)
		return "its unit is none of enum hubbub_unit";
	if (!ROOM_IS_EMPTY(metric))
		return "its room " ROOM_IS_FULL;
	if (!is_help(metric->help))
		return "its help is not a line of ASCII without a backslash";
	for (const struct hubbub_metric *other = metrics; other < metric; other++)
		if (strcmp(other->name, metric->name) == 0)
			return "two metrics have this name";
	return name_fault(metric);
}

bool
catalog_check(const struct hubbub_metric *metrics, char fault[static CATALOG_FAULT_SIZE])
{
	const struct hubbub_metric *metric = metrics;
	size_t places = OWN_PLACES;

	for (; metric != NULL && metric->name != NULL; metric++) {
		const char *why = metric_fault(metrics, metric);

		if (why == NULL && metric - metrics == HUBBUB_METRICS_MAX)
			why = "the service has more than 64 metrics, or no row without a name "
			      "behind them";
		if (why == NULL)
			places += catalog_places(kind_of(metric));
		if (why == NULL && places > COUNTED_ROOM)
			why = "there is room for five histograms, and for no more than these "
			      "metrics";
		if (why == NULL)
			continue;
		snprintf(fault, CATALOG_FAULT_SIZE, "the service's metric %.63s: %s", metric->name,
			why);
		return false;
	}
	return true;
}

void
catalog_add_service(const struct hubbub_metric *metrics)
{
	unsigned place = OWN_PLACES;

	catalog_size = COUNTED_MAX;
	for (; metrics != NULL && metrics->name != NULL; metrics++) {
		enum catalog_kind kind = kind_of(metrics);

		CHECK(catalog_size < CATALOG_MAX);
		catalog[catalog_size++] = (struct catalog_entry){.field = metrics->name,
			.kind = kind,
			.unit = metrics->unit == HUBBUB_SECONDS ? CLOCK_SECOND : 1,
			.metric = metrics->name,
			.help = metrics->help,
			.is_service = true,
			.place = place};
		place += catalog_places(kind);
		CHECK_WHY(place <= COUNTED_ROOM, "catalog_check has found room");
	}
	catalog_listeners = catalog_size;
}

/* ---- listeners ---- */

unsigned
catalog_end(void)
{
	const struct catalog_entry *last = &catalog[catalog_size - 1];

	return last->place + catalog_places(last->kind);
}

void
catalog_add_listener(const char *name)
{
	unsigned place = catalog_end();

	if (catalog_size - catalog_listeners < CATALOG_LISTENERS_MAX &&
		place + LISTENED_ROOM <= COUNTED_ROOM)
		catalog[catalog_size++] = (struct catalog_entry){
			.field = name, .kind = CATALOG_LISTENER, .place = place};
}

int
catalog_find_listener(const char *name)
{
	for (unsigned i = catalog_listeners; i < catalog_size; i++)
		if (strcmp(catalog[i].field, name) == 0)
			return (int)catalog[i].place;
	return -1;
}

/* ---- reading ---- */

const char *
catalog_prefix(const struct catalog_entry *entry)
{
	return entry->is_service ? "" : "hubbub_";
}

uint64_t
catalog_count(const struct worker_row *row, unsigned number)
{
	DCHECK(number < catalog_listeners && catalog[number].kind != CATALOG_HISTOGRAM);
	return __atomic_load_n(&row->counts[catalog[number].place], __ATOMIC_RELAXED);
}

double
catalog_value(const struct worker_row *row, unsigned number)
{
	uint64_t count = catalog_count(row, number);

	/* A gauge may be below 0. */
	return (catalog[number].kind == CATALOG_GAUGE ? (double)(int64_t)count : (double)count) /
	       (double)catalog[number].unit;
}

const struct buckets *
catalog_buckets(const struct worker_row *row, unsigned number)
{
	DCHECK(number < catalog_size && catalog[number].kind == CATALOG_HISTOGRAM);
	return (const struct buckets *)(const void *)&row->counts[catalog[number].place];
}

uint64_t
catalog_listened(const struct worker_row *row, unsigned number, unsigned what)
{
	DCHECK(number >= catalog_listeners && number < catalog_size && what < LISTENED_MAX);
	return __atomic_load_n(&row->counts[catalog[number].place + what], __ATOMIC_RELAXED);
}
