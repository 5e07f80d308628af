/* Text in Prometheus's format, written in one pass from shared memory. Counters are summed over all
 * processes that a worker has had, so they never go back when a worker is replaced. */
#include "master/face/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/allocator.h"
#include "hub/base/clock.h"
#include "master/change/ready.h"
#include "master/face/exposition.h"
#include "master/face/status.h"
#include "master/fleet/permits.h"
#include "master/master.h"
#include "master/start/limits.h"
#include "worker/catalog.h"
#include "worker/hub_sums.h"

/* The sums of each hub, and what names it in each of its lines. */
struct hubs {
	struct hub_sums sums;
	char (*labels)[EXPOSITION_LABELS_SIZE];
};

static int
collect(const struct counters *counters, struct hubs *hubs)
{
	if (counters_sum_hubs(counters, &hubs->sums) != 0)
		return -1;
	hubs->labels = calloc(hubs->sums.count + 1, sizeof *hubs->labels);
	if (hubs->labels == NULL) {
		hub_sums_fini(&hubs->sums);
		return -1;
	}
	for (unsigned i = 0; i < hubs->sums.count; i++)
		exposition_label(
			hubs->labels[i], hubs->sums.rows[i].worker, hubs->sums.rows[i].index);
	return 0;
}

static void
write_head(FILE *stream, const char *name, const char *type, const char *help)
{
	exposition_introduce(stream, "hubbub_", name, type, help);
}

static void
write_one(FILE *stream, const char *name, const char *type, const char *help, double value)
{
	write_head(stream, name, type, help);
	fprintf(stream, "hubbub_%s %.15g\n", name, value);
}

/* ---- counters ---- */

/* Returns the number of the first catalog row, behind first, of another metric. */
static unsigned
metric_end(unsigned first)
{
	unsigned end = first + 1;

	while (end < catalog_listeners && catalog[end].is_service == catalog[first].is_service &&
		strcmp(catalog[end].metric, catalog[first].metric) == 0)
		end++;
	return end;
}

static void
write_server_counters(FILE *stream, const struct worker_row *total)
{
	for (unsigned i = 0; i < COUNTED_MAX; i++)
		if (catalog[i].is_server)
			write_one(stream, catalog[i].metric, exposition_type(&catalog[i]),
				catalog[i].help, catalog_value(total, i));
}

/* Writes the catalog rows from first to end, which are one metric, under that name. */
static void
write_metric(FILE *stream, const char *name, const char *help, const struct hubs *hubs,
	unsigned first, unsigned end)
{
	const struct catalog_entry *metric = &catalog[first];
	const char *prefix = catalog_prefix(metric);
	char whole[CATALOG_NAME_SIZE];
	struct exposition_bounds bounds;

	exposition_introduce(stream, prefix, name, exposition_type(metric), help);
	stpcpy(stpcpy(whole, prefix), name);
	exposition_bound(&bounds, metric);
	for (unsigned hub = 0; hub < hubs->sums.count; hub++) {
		const struct worker_row *row = &hubs->sums.rows[hub];

		if (metric->kind == CATALOG_HISTOGRAM) {
			exposition_histogram(stream, whole, hubs->labels[hub], &bounds,
				catalog_buckets(row, first));
			continue;
		}
		for (unsigned i = first; i < end; i++)
			exposition_value(stream, whole, hubs->labels[hub], catalog[i].label,
				catalog_value(row, i));
	}
}

static void
write_hub_counters(FILE *stream, const struct hubs *hubs)
{
	for (unsigned first = 0, end; first < catalog_listeners; first = end) {
		const char *metric = catalog[first].metric,
			   *former = catalog_former_name(&catalog[first]);
		char help[128];

		end = metric_end(first);
		if (catalog[first].is_server)
			continue;
		write_metric(stream, metric, catalog[first].help, hubs, first, end);
		if (former == NULL)
			continue;
		snprintf(help, sizeof help, "The former name of hubbub_%s.", metric);
		write_metric(stream, former, help, hubs, first, end);
	}
}

/* ---- listeners ---- */

#define LISTENED_TYPE_COUNTER "counter"
#define LISTENED_TYPE_GAUGE "gauge"
#define LISTENED_ROW(field, kind, metric, total, help)                                             \
	[LISTENED_##field] = {"listener_" metric, LISTENED_TYPE_##kind, help},

/* The metrics of listeners, by place; over all hubs, since those of each hub have others. */
static const struct {
	const char *name, *type, *help;
} listener_metrics[LISTENED_MAX] = {LISTENED(LISTENED_ROW)};

static uint64_t
sum_listened(const struct hub_sums *sums, unsigned listener, unsigned what)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < sums->count; i++)
		sum += catalog_listened(&sums->rows[i], listener, what);
	return sum;
}

static void
write_listeners(FILE *stream, const struct hub_sums *sums)
{
	for (unsigned what = 0; catalog_listeners < catalog_size && what < LISTENED_MAX; what++) {
		const char *name = listener_metrics[what].name;

		write_head(stream, name, listener_metrics[what].type, listener_metrics[what].help);
		for (unsigned i = catalog_listeners; i < catalog_size; i++)
			fprintf(stream, "hubbub_%s{listener=\"%s\"} %lu\n", name, catalog[i].field,
				(unsigned long)sum_listened(sums, i, what));
	}
}

static void
write_connections(FILE *stream, const struct hubs *hubs)
{
	write_head(stream, "connections", "gauge", "Connections that are open.");
	for (unsigned i = 0; i < hubs->sums.count; i++)
		exposition_value(stream, "hubbub_connections", hubs->labels[i], NULL,
			(double)counters_open(&hubs->sums.rows[i]));
}

/* ---- hubs that accept ---- */

static double
value_busy_ratio(const struct occupant *occupant)
{
	return occupant->slot->hubs[occupant->hub].busy;
}

static double
value_queue(const struct occupant *occupant)
{
	return occupant->queued;
}

static double
value_weight(const struct occupant *occupant)
{
	return occupant->weight;
}

static double
value_permits(const struct occupant *occupant)
{
	return (double)slot_permits(occupant->slot, occupant->hub);
}

/* The gauges of the hubs that accept, and how each is read. */
static const struct occupant_metric {
	const char *name;
	const char *help;
	double (*value)(const struct occupant *occupant);
} occupant_metrics[] = {
	{"busy_ratio", "Share of recent time in which the hub was busy.", value_busy_ratio},
	{"accept_queue", "Connections that wait to be accepted.", value_queue},
	{"steering_weight", "Share of new connections, relative to that of other hubs.",
		value_weight},
	{"permits", "Connections that the hub may still open before the master moves more.",
		value_permits},
};

/* What write_occupant needs. */
struct occupant_line {
	FILE *stream;
	const struct occupant_metric *metric;
};

static void
write_occupant(const struct occupant *occupant, void *context)
{
	const struct occupant_line *line = context;

	fprintf(line->stream, "hubbub_%s{worker=\"%u\",hub=\"%u\"} %.15g\n", line->metric->name,
		occupant->slot->index, occupant->hub, line->metric->value(occupant));
}

/* Writes the gauges of the hubs that accept. */
static void
write_occupants(FILE *stream, const struct fleet *fleet)
{
	for (size_t i = 0; i < sizeof occupant_metrics / sizeof occupant_metrics[0]; i++) {
		struct occupant_line line = {stream, &occupant_metrics[i]};

		write_head(stream, line.metric->name, "gauge", line.metric->help);
		roster_each_sitting(fleet, write_occupant, &line);
	}
}

static void
write_workers(FILE *stream, const struct fleet *fleet)
{
	const struct generation *serving = fleet->serving;

	write_head(stream, "worker_state", "gauge", "1 for the state that the worker is in.");
	for (unsigned i = 0; serving != NULL && i < serving->count; i++)
		for (int state = 0; state < SUPERVISION_STATE_MAX; state++)
			fprintf(stream, "hubbub_worker_state{worker=\"%u\",state=\"%s\"} %d\n",
				serving->slots[i]->index, supervision_state_names[state],
				serving->slots[i]->state == (enum supervision_state)state);
}

static unsigned
count_leaving(const struct fleet *fleet)
{
	unsigned count = 0;

	for (const struct generation *each = fleet->leaving; each != NULL; each = each->next)
		count++;
	return count;
}

/* Writes a label that is the program's own text, in which '"' and '\\' are escaped. */
static void
write_label(FILE *stream, const char *name, const char *text)
{
	fprintf(stream, "%s=\"", name);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', stream);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, stream);
	}
	fputs("\",", stream);
}

static void
write_build(FILE *stream, const struct hubbub_service *service)
{
	write_head(stream, "build_info", "gauge",
		"Always 1; its labels name the service, its version, hubbub's and the allocator.");
	fprintf(stream, "hubbub_build_info{");
	write_label(stream, "service", service->name);
	write_label(stream, "version", service->version);
	fprintf(stream, "hubbub=\"%s\",allocator=\"%s\"} 1\n", HUBBUB_VERSION, allocator_name());
}

static void
write_server(FILE *stream, const struct master *master)
{
	const struct fleet *fleet = &master->fleet;
	const struct generation *serving = fleet->serving;
	unsigned backlog = sockets_backlog(&master->sockets);

	write_build(stream, master->service);
	write_one(stream, "ready", "gauge",
		"1 if the server accepts connections and is not stopping.", ready_is(master));
	write_one(stream, "stopping", "gauge",
		"1 if the server was told to stop, and lets connections end.",
		master->phase == MASTER_DELAYING || master->phase == MASTER_DRAINING);
	write_one(stream, "live", "gauge",
		"1 if a hub is alive, or a worker is starting; else the server should be "
		"restarted.",
		ready_is_live(master));
	write_one(stream, "start_time_seconds", "gauge",
		"When this master started, in seconds since the epoch.", (double)master->started);
	write_one(stream, "master_pause_seconds", "gauge",
		"Longest time by which this master's look at its workers, each 50 ms, was late.",
		clock_seconds(fleet->longest_pause));
	write_one(stream, "processes", "gauge", "Worker processes that should serve.",
		serving != NULL ? serving->config.processes : 0);
	write_one(stream, "threads", "gauge", "Hubs in each.",
		serving != NULL ? serving->config.threads : 0);
	write_one(stream, "generation", "gauge", "Number of the generation that serves.",
		serving != NULL ? serving->number : 0);
	write_one(stream, "generations_draining", "gauge", "Former generations that still drain.",
		count_leaving(fleet));
	write_one(stream, "max_connections", "gauge", "Connections that are allowed.",
		(double)permits_limit(fleet));
	write_one(stream, "imbalance_ratio", "gauge",
		"Most connections on a hub over the mean; 1 is even.", status_imbalance(fleet));
	write_one(stream, "imbalance_connections", "gauge",
		"Most connections on a hub minus the mean; small numbers are seldom even.",
		status_excess(fleet));
	write_one(stream, "backlog", "gauge",
		"Connections that may wait at each listener: --backlog, or what the kernel cuts it "
		"to.",
		backlog != 0 ? backlog : limits_backlog((unsigned)master->sockets.backlog));
}

static void
write_all(FILE *stream, const struct master *master, const struct hubs *hubs)
{
	struct worker_row total = counters_total(master->counters);

	write_server(stream, master);
	write_server_counters(stream, &total);
	write_connections(stream, hubs);
	write_hub_counters(stream, hubs);
	write_listeners(stream, &hubs->sums);
	write_occupants(stream, &master->fleet);
	write_workers(stream, &master->fleet);
}

char *
metrics_text(const struct master *master, size_t *length)
{
	char *text = NULL;
	FILE *stream;
	struct hubs hubs;

	if (collect(master->counters, &hubs) != 0)
		return NULL;
	stream = open_memstream(&text, length);
	if (stream != NULL)
		write_all(stream, master, &hubs);
	free(hubs.labels);
	hub_sums_fini(&hubs.sums);
	/* Half of it would be wrong numbers. */
	if (stream == NULL || fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}
