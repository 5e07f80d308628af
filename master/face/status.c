/* One JSON document, made in one go from the master's records and the counters in shared memory;
 * jansson's functions pass NULL on, so out of memory shows once, at the end. Names of counters come
 * from worker/catalog.h. */
#include "master/face/status.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/base/printable.h"
#include "master/base/usage.h"
#include "master/change/ready.h"
#include "master/face/recent.h"
#include "master/fleet/permits.h"
#include "master/master.h"
#include "master/say/history.h"
#include "master/start/options_given.h"
#include "worker/catalog.h"
#include "worker/hub_sums.h"

static json_int_t
whole(uint64_t number)
{
	return (json_int_t)number;
}

/* ---- JSON ---- */

/* How many values, their sum, and quantiles, in that unit. */
static json_t *
buckets_json(const struct buckets *buckets, double unit)
{
	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", whole(buckets_total(buckets)),
		"sum", (double)buckets->sum / unit, "p50", buckets_quantile(buckets, .5) / unit,
		"p90", buckets_quantile(buckets, .9) / unit, "p99",
		buckets_quantile(buckets, .99) / unit, "p999",
		buckets_quantile(buckets, .999) / unit);
}

/* A histogram in the metric's unit, of a hub or of the worker RECENT_ALL; with what has come
 * lately. */
static json_t *
histogram_json(const struct worker_row *row, unsigned number, uint32_t worker, uint32_t hub)
{
	struct recent_key key = {.metric = number, .worker = worker, .hub = hub};
	const struct buckets *buckets = catalog_buckets(row, number);
	double unit = (double)catalog[number].unit;
	json_t *object = buckets_json(buckets, unit);
	struct buckets lately;

	recent_look(&key, clock_now(), buckets, &lately);
	json_object_set_new(object, "recent", buckets_json(&lately, unit));
	return object;
}

/* A counter or a gauge in its unit: a whole number, or seconds. */
static json_t *
number_json(const struct worker_row *row, unsigned number)
{
	return catalog[number].unit == 1 ? json_integer((json_int_t)catalog_count(row, number))
					 : json_real(catalog_value(row, number));
}

/* The service's own metrics. */
static json_t *
service_json(const struct worker_row *total)
{
	json_t *metrics = json_object();

	for (unsigned i = COUNTED_MAX; i < catalog_listeners; i++)
		json_object_set_new(metrics, catalog[i].metric,
			catalog[i].kind == CATALOG_HISTOGRAM
				? histogram_json(total, i, RECENT_ALL, 0)
				: number_json(total, i));
	return metrics;
}

/* Whether the server listens on an address of this listener. */
static bool
has_address(const struct sockets *sockets, const char *listener)
{
	const char *name = strcmp(listener, LISTENED_UNNAMED) == 0 ? "" : listener;

	for (unsigned i = 0; i < sockets->address_count; i++)
		if (strcmp(sockets->addresses[i].listener, name) == 0)
			return true;
	return false;
}

#define LISTENED_NAME(field, kind, metric, total, help) [LISTENED_##field] = (total),

/* What is counted of each listener; nothing of a service without named ones. */
static json_t *
listeners_json(const struct sockets *sockets, const struct worker_row *total)
{
	static const char *const names[LISTENED_MAX] = {LISTENED(LISTENED_NAME)};
	json_t *listeners = json_array();

	for (unsigned i = catalog_listeners; i < catalog_size; i++) {
		json_t *listener = json_pack("{s:s, s:b}", "listener", catalog[i].field, "listens",
			has_address(sockets, catalog[i].field));

		for (unsigned what = 0; what < LISTENED_MAX; what++)
			json_object_set_new(listener, names[what],
				json_integer(whole(catalog_listened(total, i, what))));
		json_array_append_new(listeners, listener);
	}
	return listeners;
}

static json_t *
totals_json(const struct worker_row *total)
{
	json_t *totals = json_object();

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const char *name = catalog[i].total;
		json_int_t sum;

		if (name == NULL)
			continue;
		if (catalog[i].kind == CATALOG_HISTOGRAM) {
			json_object_set_new(totals, name, histogram_json(total, i, RECENT_ALL, 0));
			continue;
		}
		/* Counters that were overwritten may be too large together. */
		if (__builtin_add_overflow(json_integer_value(json_object_get(totals, name)),
			    whole(catalog_count(total, i)), &sum))
			sum = INT64_MAX;
		json_object_set_new(totals, name, json_integer(sum));
	}
	return totals;
}

/* Adds what a worker's hub has counted, in all processes that the worker has had. */
static void
add_hub_counters(json_t *object, unsigned worker, unsigned hub, const struct worker_row *sum)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		const char *former = catalog_former_name(&catalog[i]);

		if (!catalog[i].in_hubs)
			continue;
		if (catalog[i].kind == CATALOG_HISTOGRAM) {
			json_object_set_new(
				object, catalog[i].metric, histogram_json(sum, i, worker, hub));
			continue;
		}
		json_object_set_new(
			object, catalog[i].metric, json_integer(whole(catalog_count(sum, i))));
		if (former != NULL)
			json_object_set_new(
				object, former, json_integer(whole(catalog_count(sum, i))));
	}
}

/* What this process of the worker has counted by itself: only that tells how fast it counts while
 * its predecessor drains. */
static json_t *
process_json(const struct worker_row *row)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < COUNTED_MAX; i++) {
		uint64_t count;

		if (!catalog[i].in_hubs)
			continue;
		count = catalog[i].kind == CATALOG_HISTOGRAM
				? buckets_total(catalog_buckets(row, i))
				: catalog_count(row, i);
		json_object_set_new(object, catalog[i].metric, json_integer(whole(count)));
	}
	return object;
}

/* What a hub has counted in all processes that its worker has had; nothing if its row, memory of
 * the worker, says that it is another's. */
static const struct worker_row *
sum_of(const struct hub_sums *sums, const struct slot *slot, unsigned hub)
{
	static const struct worker_row nothing;
	const struct worker_row *sum = hub_sums_find(sums, slot->index, hub);

	return sum != NULL ? sum : &nothing;
}

static json_t *
hub_json(const struct slot *slot, unsigned hub, const struct hub_sums *sums)
{
	const struct worker_row *row = &slot->rows[hub];
	const struct occupant *occupant = &slot->generation->fleet->occupants[slot_seat(slot, hub)];
	bool sits = occupant->slot == slot; /* else another worker has the seat */
	json_t *object;

	object = json_pack("{s:i, s:b, s:b, s:I, s:f, s:f, s:i, s:i, s:I}", "hub", (int)hub,
		"accepts", sits, "hung", slot->hubs[hub].is_hung, "connections",
		whole(counters_open(row)), "busy", slot->hubs[hub].busy, "lag_ms",
		(double)counters_read(&row->lag) / (double)CLOCK_MILLISECOND, "queue",
		sits ? (int)occupant->queued : 0, "weight", sits ? (int)occupant->weight : 0,
		"permits", (json_int_t)slot_permits(slot, hub));
	add_hub_counters(object, slot->index, hub, sum_of(sums, slot, hub));
	json_object_set_new(object, "process", process_json(row));
	return object;
}

/* CPU time and memory of a process, null where the kernel does not tell. */
static void
add_usage(json_t *object, pid_t pid)
{
	int64_t cpu = pid != 0 ? usage_cpu(pid) : -1, memory = pid != 0 ? usage_memory(pid) : -1;

	json_object_set_new(
		object, "cpu_s", cpu >= 0 ? json_real(clock_seconds(cpu)) : json_null());
	json_object_set_new(
		object, "memory_bytes", memory >= 0 ? json_integer(memory) : json_null());
}

static json_t *
slot_json(const struct slot *slot, const struct hub_sums *sums)
{
	json_t *hubs = json_array(), *object;

	for (unsigned hub = 0; slot->rows != NULL && hub < slot->generation->config.threads; hub++)
		json_array_append_new(hubs, hub_json(slot, hub, sums));
	object = json_pack("{s:i, s:o, s:s, s:i, s:f, s:o}", "worker", (int)slot->index, "pid",
		slot->pid != 0 ? json_integer(slot->pid) : json_null(), "state",
		supervision_state_names[slot->state], "generation", (int)slot->generation->number,
		"age_s", slot->pid != 0 ? clock_seconds(clock_now() - slot->started) : 0., "hubs",
		hubs);
	add_usage(object, slot->pid);
	return object;
}

static json_t *
generation_json(const struct generation *generation, const struct hub_sums *sums)
{
	json_t *workers = json_array();

	for (unsigned i = 0; generation != NULL && i < generation->count; i++)
		json_array_append_new(workers, slot_json(generation->slots[i], sums));
	return workers;
}

/* How long the generation may still drain; null if it is to end already. */
static json_t *
ends_in_json(const struct generation *leaving)
{
	const ev_timer *deadline = &leaving->deadline;

	return ev_is_active(deadline) && !leaving->is_stopped
		       ? json_real(ev_timer_remaining(
				 leaving->fleet->loop, (ev_timer *)(uintptr_t)deadline))
		       : json_null();
}

static json_t *
leaving_json(const struct fleet *fleet, const struct hub_sums *sums)
{
	json_t *workers = json_array();

	for (const struct generation *each = fleet->leaving; each != NULL; each = each->next) {
		json_t *part = generation_json(each, sums), *worker;
		size_t i;

		json_array_foreach(part, i, worker)
			json_object_set_new(worker, "ends_in_s", ends_in_json(each));
		json_array_extend(workers, part);
		json_decref(part);
	}
	return workers;
}

static json_t *
addresses_json(const struct sockets *sockets)
{
	json_t *addresses = json_array();
	char text[ADDRESS_LISTENED_SIZE];

	for (unsigned i = 0; i < sockets->address_count; i++) {
		address_format_listened(&sockets->addresses[i], text);
		json_array_append_new(addresses, printable_json(text));
	}
	return addresses;
}

static json_t *
events_json(void)
{
	json_t *events = json_array();
	const struct event_note *note;

	for (unsigned i = 0; (note = history_newest(i)) != NULL; i++)
		json_array_append_new(events,
			json_pack("{s:I, s:I, s:s, s:o}", "number", whole(note->number), "time",
				(json_int_t)note->time, "level", log_level_names[note->level],
				"text", printable_json(note->text)));
	return events;
}

/* Open connections on the hubs that accept. */
struct spread {
	uint64_t most; /* on one hub */
	uint64_t sum;
	unsigned count; /* hubs */
};

static void
add_open(const struct occupant *occupant, void *context)
{
	struct spread *spread = context;
	uint64_t open = counters_open(occupant_row(occupant));

	spread->sum += open;
	spread->count++;
	if (open > spread->most)
		spread->most = open;
}

double
status_imbalance(const struct fleet *fleet)
{
	struct spread spread = {0};

	roster_each_sitting(fleet, add_open, &spread);
	return spread.sum > 0 ? (double)spread.most * spread.count / (double)spread.sum : 1;
}

double
status_excess(const struct fleet *fleet)
{
	struct spread spread = {0};

	roster_each_sitting(fleet, add_open, &spread);
	return spread.count > 0 ? (double)spread.most - (double)spread.sum / spread.count : 0;
}

char *
status_json(const struct master *master)
{
	const struct fleet *fleet = &master->fleet;
	const struct generation *serving = fleet->serving;
	struct worker_row total;
	struct hub_sums sums;
	json_t *object;
	char *text;

	if (counters_sum_hubs(master->counters, &sums) != 0)
		return NULL;
	counters_sum_all(master->counters, &total);
	object = json_pack(
		"{s:o, s:o, s:i, s:s, s:b, s:b, s:I, s:i, s:i, s:i, s:b, s:o, s:I, s:I, s:f, "
		"s:b, s:o, s:o, s:o, s:o, s:o}",
		"name", printable_json(master->service->name), "version",
		printable_json(master->service->version), "pid", (int)getpid(), "phase",
		ready_phase_names[master->phase], "ready", ready_is(master), "live",
		ready_is_live(master), "started", (json_int_t)master->started, "generation",
		serving != NULL ? (int)serving->number : 0, "processes",
		serving != NULL ? (int)serving->config.processes : 0, "threads",
		serving != NULL ? (int)serving->config.threads : 0, "changing",
		master->change != CHANGE_NONE, "addresses", addresses_json(&master->sockets),
		"connections", whole(counters_open(&total)), "max_connections",
		whole(permits_limit(fleet)), "imbalance", status_imbalance(fleet), "steered",
		fleet->is_steered, "totals", totals_json(&total), "metrics", service_json(&total),
		"workers", generation_json(serving, &sums), "draining", leaving_json(fleet, &sums),
		"events", events_json());
	json_object_set_new(object, "listeners", listeners_json(&master->sockets, &total));
	json_object_set_new(
		object, "longest_pause_s", json_real(clock_seconds(fleet->longest_pause)));
	json_object_set_new(object, "options", options_given_json(&master->options));
	add_usage(object, getpid());
	hub_sums_fini(&sums);
	text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}
