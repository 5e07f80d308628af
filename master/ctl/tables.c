/* The state may be of another release: a field that is missing counts as 0, "?" or false, and
 * nothing fails. */
#include "master/ctl/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/ctl/field.h"

#define REQUESTS "request_duration_seconds"

/* ---- lines ---- */

static void
add(struct tables_lines *lines, struct table_line line)
{
	if (lines->count == lines->room) {
		size_t room = 2 * lines->room + 16;
		struct table_line *each = realloc(lines->each, room * sizeof *each);

		if (each == NULL)
			return;
		lines->each = each;
		lines->room = room;
	}
	line.order = lines->count;
	lines->each[lines->count++] = line;
}

void
tables_free(struct tables_lines *lines)
{
	free(lines->each);
	*lines = (struct tables_lines){0};
}

/* Returns the worker of that pid, or NULL. Between two states most stay where they are: it is
 * looked for there first. */
static const json_t *
find_worker(const json_t *state, const char *group, size_t guess, json_int_t pid)
{
	const json_t *workers = json_object_get(state, group), *worker;
	size_t i;

	worker = json_array_get(workers, guess);
	if (json_integer_value(json_object_get(worker, "pid")) == pid)
		return worker;
	json_array_foreach(workers, i, worker)
	{
		if (json_integer_value(json_object_get(worker, "pid")) == pid)
			return worker;
	}
	return NULL;
}

/* Returns the same hub of the same process in an earlier state, or NULL. */
static const json_t *
find_hub(const json_t *state, size_t guess, const json_t *worker, const json_t *hub)
{
	json_int_t pid = json_integer_value(json_object_get(worker, "pid"));
	json_int_t number = json_integer_value(json_object_get(hub, "hub"));
	const json_t *former = find_worker(state, "workers", guess, pid), *each;
	size_t i;

	if (former == NULL)
		former = find_worker(state, "draining", guess, pid);
	json_array_foreach(json_object_get(former, "hubs"), i, each)
	{
		if (json_integer_value(json_object_get(each, "hub")) == number)
			return each;
	}
	return NULL;
}

static void
add_hubs(struct tables_lines *lines, const json_t *state, const char *group, const json_t *before,
	double seconds)
{
	const json_t *worker, *hub;
	size_t i, j;

	json_array_foreach(json_object_get(state, group), i, worker)
	{
		if (json_array_size(json_object_get(worker, "hubs")) == 0)
			add(lines, (struct table_line){.state = state, .worker = worker});
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
			add(lines, (struct table_line){.state = state,
					   .worker = worker,
					   .hub = hub,
					   .former = find_hub(before, i, worker, hub),
					   .seconds = seconds});
	}
}

static void
collect_hubs(struct tables_lines *lines, const json_t *state, const json_t *before, double seconds)
{
	add_hubs(lines, state, "workers", before, seconds);
	add_hubs(lines, state, "draining", before, seconds);
}

/* A line per hub, and one of the server. None, unless the service has said what a request is
 * (hubbub_busy). */
static void
collect_requests(
	struct tables_lines *lines, const json_t *state, const json_t *before, double seconds)
{
	const json_t *all = json_object_get(state, "totals");

	if (field_number(json_object_get(all, REQUESTS), "count") <= 0)
		return;
	add_hubs(lines, state, "workers", before, seconds);
	add(lines, (struct table_line){.state = state,
			   .object = all,
			   .former = json_object_get(before, "totals"),
			   .seconds = seconds});
}

/* Those on which the server listens, or has done so. None, if it is the only one: the totals are
 * all. */
static void
collect_listeners(
	struct tables_lines *lines, const json_t *state, const json_t *before, double seconds)
{
	const json_t *listener;
	size_t i;

	(void)before, (void)seconds;
	json_array_foreach(json_object_get(state, "listeners"), i, listener)
	{
		if (json_is_true(json_object_get(listener, "listens")) ||
			field_number(listener, "accepts") > 0 ||
			field_number(listener, "datagrams") > 0)
			add(lines, (struct table_line){.state = state, .object = listener});
	}
	if (lines->count == 1)
		lines->count = 0;
}

static void
collect_metrics(
	struct tables_lines *lines, const json_t *state, const json_t *before, double seconds)
{
	const char *name;
	json_t *metric;

	(void)before, (void)seconds;
	json_object_foreach(json_object_get(state, "metrics"), name, metric)
		add(lines, (struct table_line){.state = state, .object = metric, .name = name});
}

/* ---- columns ---- */

/* Of a number of the hub's present process, how much it grows in a second. */
static double
growth(const struct table_line *line, const char *key)
{
	double now = field_number(json_object_get(line->hub, "process"), key);
	double then = field_number(json_object_get(line->former, "process"), key);

	if (line->hub == NULL)
		return NAN;
	if (line->seconds <= 0)
		return now;
	/* Another server at the same address may have a process of the same pid. */
	return line->former != NULL && now >= then ? (now - then) / line->seconds : NAN;
}

static double
worker_of(const struct table_line *line)
{
	return field_number(line->worker, "worker");
}

static double
pid_of(const struct table_line *line)
{
	return line->hub != NULL ? field_number(line->worker, "pid") : NAN;
}

static void
state_of(char *text, size_t size, const struct table_line *line)
{
	bool is_hung = json_is_true(json_object_get(line->hub, "hung"));

	snprintf(text, size, "%s", is_hung ? "hung" : field_text(line->worker, "state"));
}

static double
of_hub(const struct table_line *line, const char *key)
{
	return line->hub != NULL ? field_number(line->hub, key) : NAN;
}

#define OF_HUB(name, key)                                                                          \
	static double name(const struct table_line *line)                                          \
	{                                                                                          \
		return of_hub(line, key);                                                          \
	}
#define GROWTH(name, key)                                                                          \
	static double name(const struct table_line *line)                                          \
	{                                                                                          \
		return growth(line, key);                                                          \
	}
OF_HUB(hub_of, "hub")
OF_HUB(connections_of, "connections")
OF_HUB(queue_of, "queue")
OF_HUB(busy_of, "busy")
OF_HUB(lag_of, "lag_ms")
GROWTH(accepted_of, "accepts_total")
GROWTH(received_of, "received_bytes_total")
GROWTH(sent_of, "sent_bytes_total")

static const struct table_column hub_columns[] = {
	{"WORKER", NULL, "number of the worker", 0, 6, 0, TABLE_WHOLE, NULL, worker_of},
	{"PID", NULL, "its process", 1, -7, 7, TABLE_WHOLE, NULL, pid_of},
	{"STATE", NULL, "what the worker does; hung: the hub gives no sign of life", 1, -11, 0,
		TABLE_TEXT, state_of, NULL},
	{"HUB", NULL, "number of the hub in its worker", 1, 4, 0, TABLE_WHOLE, NULL, hub_of},
	{"CONNS", NULL, "open connections", 2, 5, 0, TABLE_SHORT, NULL, connections_of},
	{"NEW", "NEW/s", "connections accepted", 2, 5, 4, TABLE_SHORT, NULL, accepted_of},
	{"QUEUE", NULL, "clients that wait to be accepted", 2, 5, 6, TABLE_SHORT, NULL, queue_of},
	{"BUSY", NULL, "share of the time in which the hub computes", 2, 4, 1, TABLE_PERCENT, NULL,
		busy_of},
	{"LAG ms", NULL, "how late the hub's timers are", 2, 6, 3, TABLE_MILLISECONDS, NULL,
		lag_of},
	{"IN", "IN/s", "bytes received", 2, 5, 8, TABLE_SHORT, NULL, received_of},
	{"OUT", "OUT/s", "bytes sent", 2, 5, 9, TABLE_SHORT, NULL, sent_of},
};

/* ---- columns of histograms ---- */

/* Of the hub, or of the whole server. */
static const json_t *
requests_of(const struct table_line *line)
{
	return json_object_get(line->hub != NULL ? line->hub : line->object, REQUESTS);
}

static double
served_of(const struct table_line *line)
{
	return field_number(requests_of(line), "count");
}

static double
served_now(const struct table_line *line)
{
	double now = served_of(line), then;

	if (line->hub != NULL)
		return growth(line, REQUESTS);
	then = field_number(json_object_get(line->former, REQUESTS), "count");
	return line->former != NULL && now >= then ? (now - then) / line->seconds : NAN;
}

static double
quantile(const json_t *histogram, const char *key)
{
	const json_t *recent = json_object_get(histogram, "recent");

	return field_number(recent, "count") > 0 ? field_number(recent, key) : NAN;
}

static void
place_of(char *text, size_t size, const struct table_line *line)
{
	if (line->hub == NULL)
		snprintf(text, size, "   all");
	else
		snprintf(text, size, "%6.0f  %4.0f", worker_of(line), hub_of(line));
}

static void
name_of(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%s", line->name);
}

/* A histogram has values, of which the number is told. */
static double
number_of_metric(const struct table_line *line)
{
	return json_is_object(line->object) ? field_number(line->object, "count")
					    : json_number_value(line->object);
}

/* By their names, as Prometheus has them, metrics are times or numbers. */
static bool
are_times(const struct table_line *line)
{
	static const char seconds[] = "_seconds";
	size_t length = strlen(line->name);

	return length >= sizeof seconds &&
	       strcmp(line->name + length - (sizeof seconds - 1), seconds) == 0;
}

static void
write_quantile(char *text, size_t size, const struct table_line *line, const char *key)
{
	text[0] = '\0';
	if (json_is_object(line->object))
		table_number(text, size, are_times(line) ? TABLE_TIME : TABLE_SHORT,
			quantile(line->object, key));
}

#define QUANTILE(key)                                                                              \
	static double key##_of(const struct table_line *line)                                      \
	{                                                                                          \
		return quantile(requests_of(line), #key);                                          \
	}                                                                                          \
	static void key##_of_metric(char *text, size_t size, const struct table_line *line)        \
	{                                                                                          \
		write_quantile(text, size, line, #key);                                            \
	}
QUANTILE(p50)
QUANTILE(p90)
QUANTILE(p99)
QUANTILE(p999)

static const struct table_column request_columns[] = {
	{"WORKER   HUB", NULL, "the hub", 0, -12, 0, TABLE_TEXT, place_of, NULL},
	{"REQUESTS", NULL, "requests served", 2, 8, 2, TABLE_SHORT, NULL, served_of},
	{NULL, "REQ/s", "requests served in a second", 2, 5, 0, TABLE_SHORT, NULL, served_now},
	{"P50", NULL, "half of the requests of the last 10 s or more took less", 2, 6, 4,
		TABLE_TIME, NULL, p50_of},
	{"P90", NULL, "nine of ten took less", 2, 6, 5, TABLE_TIME, NULL, p90_of},
	{"P99", NULL, "99 of 100 took less", 2, 6, 0, TABLE_TIME, NULL, p99_of},
	{"P99.9", NULL, "999 of 1000 took less", 2, 6, 3, TABLE_TIME, NULL, p999_of},
};

static const struct table_column metric_columns[] = {
	{"METRIC", NULL, "of the service", 0, -33, 0, TABLE_TEXT, name_of, NULL},
	{"VALUE", NULL, "of a histogram, how many values it has", 2, 5, 0, TABLE_SHORT, NULL,
		number_of_metric},
	{"P50", NULL, "of the values of the last 10 s or more", 2, 6, 2, TABLE_TEXT, p50_of_metric,
		NULL},
	{"P90", NULL, NULL, 2, 6, 3, TABLE_TEXT, p90_of_metric, NULL},
	{"P99", NULL, NULL, 2, 6, 1, TABLE_TEXT, p99_of_metric, NULL},
	{"P99.9", NULL, NULL, 2, 6, 4, TABLE_TEXT, p999_of_metric, NULL},
};

/* ---- columns of listeners ---- */

static void
listener_of(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%s", field_text(line->object, "listener"));
}

#define OF_LISTENER(name, key)                                                                     \
	static double name(const struct table_line *line)                                          \
	{                                                                                          \
		return field_number(line->object, key);                                            \
	}
OF_LISTENER(open_of, "connections")
OF_LISTENER(accepts_of, "accepts")
OF_LISTENER(refused_of, "refused")
OF_LISTENER(datagrams_of, "datagrams")

static const struct table_column listener_columns[] = {
	{"LISTENER", NULL, "name of the listener; -: those without one", 0, -24, 0, TABLE_TEXT,
		listener_of, NULL},
	{"CONNS", NULL, "open connections", 2, 5, 0, TABLE_SHORT, NULL, open_of},
	{"ACCEPTED", NULL, "connections accepted", 2, 8, 2, TABLE_WHOLE, NULL, accepts_of},
	{"REFUSED", NULL, "connections that were not served", 2, 7, 1, TABLE_WHOLE, NULL,
		refused_of},
	{"DATAGRAMS", NULL, "datagrams received", 2, 9, 3, TABLE_WHOLE, NULL, datagrams_of},
};

/* ---- tables ---- */

#define COLUMNS(columns)                                                                           \
	{                                                                                          \
		(columns), sizeof(columns) / sizeof *(columns)                                     \
	}

const struct tables_kind tables[TABLES_MAX] = {
	[TABLES_HUBS] = {COLUMNS(hub_columns), collect_hubs},
	[TABLES_LISTENERS] = {COLUMNS(listener_columns), collect_listeners},
	[TABLES_REQUESTS] = {COLUMNS(request_columns), collect_requests},
	[TABLES_METRICS] = {COLUMNS(metric_columns), collect_metrics},
};
