/* The state is the JSON of /stats.json, and may be of another release: a field that is missing
 * counts as 0, "?" or false, and nothing fails. */
#include "master/ctl/view.h"

#include <string.h>
#include <time.h>

const char view_hub_heading[] =
	"WORKER   PID     STATE        HUB  CONNS  NEW/s  QUEUE  BUSY   LAG ms  IN/s   OUT/s";

static json_int_t
whole(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "?";
}

static double
real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

void
view_short(char *text, int size, double number)
{
	static const char units[] = " kMGTP";
	int unit = 0;

	while (number >= 1000 && units[unit + 1] != '\0') {
		number /= 1000;
		unit++;
	}
	if (unit == 0)
		snprintf(text, (size_t)size, "%.0f", number);
	else
		snprintf(text, (size_t)size, "%.*f%c", number < 100 ? 1 : 0, number, units[unit]);
}

/* Returns the same hub of the same process in an earlier state, or NULL. */
static const json_t *
find_hub(const json_t *state, json_int_t pid, json_int_t hub)
{
	size_t i, j;
	const json_t *each, *candidate;

	json_array_foreach(json_object_get(state, "workers"), i, each)
	{
		if (whole(each, "pid") != pid)
			continue;
		json_array_foreach(json_object_get(each, "hubs"), j, candidate)
		{
			if (whole(candidate, "hub") == hub)
				return candidate;
		}
	}
	return NULL;
}

/* Writes how much a number has grown in a second between two objects that have it; "-" if it was in
 * none. */
static void
rate(char *text, int size, const json_t *now, const json_t *then, const char *key, double seconds)
{
	if (then == NULL || seconds <= 0)
		snprintf(text, (size_t)size, "-");
	else
		view_short(text, size, (double)(whole(now, key) - whole(then, key)) / seconds);
}

void
view_hub(char *line, int size, const json_t *worker, const json_t *hub, const json_t *before,
	double seconds)
{
	const json_t *now = json_object_get(hub, "process");
	const json_t *then = json_object_get(
		find_hub(before, whole(worker, "pid"), whole(hub, "hub")), "process");
	char news[16], in[16], out[16], connections[16];

	rate(news, sizeof news, now, then, "accepts_total", seconds);
	rate(in, sizeof in, now, then, "received_bytes_total", seconds);
	rate(out, sizeof out, now, then, "sent_bytes_total", seconds);
	view_short(connections, sizeof connections, (double)whole(hub, "connections"));
	snprintf(line, (size_t)size,
		"%6lld   %-7lld %-11s %4lld  %5s  %5s  %5lld  %3.0f %%  %6.1f  %-6s %s",
		(long long)whole(worker, "worker"), (long long)whole(worker, "pid"),
		json_is_true(json_object_get(hub, "hung")) ? "hung" : text_of(worker, "state"),
		(long long)whole(hub, "hub"), connections, news, (long long)whole(hub, "queue"),
		100 * real(hub, "busy"), real(hub, "lag_ms"), in, out);
}

void
view_worker(char *line, int size, const json_t *worker)
{
	snprintf(line, (size_t)size, "%6lld   -       %s", (long long)whole(worker, "worker"),
		text_of(worker, "state"));
}

/* ---- requests, metrics ---- */

#define REQUESTS "request_duration_seconds"

const char view_requests_heading[] =
	"WORKER   HUB  REQUESTS  REQ/s     P50     P90     P99   P99.9  (of the last 10 s or more)";

/* Writes a time in at most six characters: "350 us", "1.2 ms", "12 s". */
static void
short_time(char *text, int size, double seconds)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double number = seconds * 1e9;
	int unit = 0;

	while (number >= 999.5 && unit < 3) {
		number /= 1000;
		unit++;
	}
	snprintf(text, (size_t)size, "%.*f %s", number < 9.95 && unit > 0 ? 1 : 0, number,
		units[unit]);
}

/* Writes the quantiles of a histogram, as times or as numbers; "-" if it has no values. */
static void
quantiles(char *text, int size, const json_t *histogram, bool are_times)
{
	static const char *const keys[] = {"p50", "p90", "p99", "p999"};
	int length = 0;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		char one[16] = "-";

		if (whole(histogram, "count") > 0 && are_times)
			short_time(one, sizeof one, real(histogram, keys[i]));
		else if (whole(histogram, "count") > 0)
			view_short(one, sizeof one, real(histogram, keys[i]));
		length += snprintf(text + length, (size_t)(size - length), "  %6s", one);
	}
}

bool
view_has_requests(const json_t *state)
{
	return whole(json_object_get(json_object_get(state, "totals"), REQUESTS), "count") > 0;
}

void
view_requests(char *line, int size, const json_t *worker, const json_t *hub, const json_t *state,
	const json_t *before, double seconds)
{
	const json_t *totals = json_object_get(state, "totals"), *former = NULL;
	const json_t *now = json_object_get(hub != NULL ? hub : totals, REQUESTS);
	char news[16], count[16], place[32] = "   all", times[64];

	if (hub != NULL) {
		former = find_hub(before, whole(worker, "pid"), whole(hub, "hub"));
		rate(news, sizeof news, json_object_get(hub, "process"),
			json_object_get(former, "process"), REQUESTS, seconds);
	} else {
		former = json_object_get(before, "totals");
		rate(news, sizeof news, now, json_object_get(former, REQUESTS), "count", seconds);
	}
	view_short(count, sizeof count, (double)whole(now, "count"));
	quantiles(times, sizeof times, json_object_get(now, "recent"), true);
	if (hub != NULL)
		snprintf(place, sizeof place, "%6lld  %4lld", (long long)whole(worker, "worker"),
			(long long)whole(hub, "hub"));
	snprintf(line, (size_t)size, "%-12s  %8s  %5s%s", place, count, news, times);
}

void
view_metric(char *line, int size, const char *name, const json_t *value)
{
	static const char seconds[] = "_seconds";
	size_t length = strlen(name);
	bool are_times = length >= sizeof seconds &&
			 strcmp(name + length - (sizeof seconds - 1), seconds) == 0;
	char number[16], times[64] = "";
	const json_t *recent = json_object_get(value, "recent");

	view_short(number, sizeof number,
		json_is_object(value) ? (double)whole(value, "count") : json_number_value(value));
	if (json_is_object(value))
		quantiles(times, sizeof times, recent, are_times);
	snprintf(line, (size_t)size, "%-33.63s  %5s%s", name, number, times);
}

double
view_imbalance(const json_t *state)
{
	const json_t *worker, *hub;
	json_int_t connections = 0;
	size_t i, j, hubs = 0;

	json_array_foreach(json_object_get(state, "workers"), i, worker)
	{
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
		{
			connections += whole(hub, "connections");
			hubs++;
		}
	}
	return connections > 0 && hubs > 1 ? real(state, "imbalance") : 0;
}

/* Prints "2 reloads", "1 reload". */
static void
print_count(FILE *stream, const char *before, json_int_t count, const char *what)
{
	fprintf(stream, "%s%lld %s%s", before, (long long)count, what, count == 1 ? "" : "s");
}

static void
print_totals(FILE *stream, const json_t *state)
{
	const json_t *totals = json_object_get(state, "totals");

	print_count(stream, "", whole(state, "connections"), "connection");
	fprintf(stream, " of %lld", (long long)whole(state, "max_connections"));
	if (view_imbalance(state) > 0)
		fprintf(stream, ", most on one hub %.2f times the mean", view_imbalance(state));
	fprintf(stream, "; %lld accepted", (long long)whole(totals, "accepts"));
	print_count(stream, ", ", whole(totals, "respawns"), "worker");
	fprintf(stream, " replaced");
	print_count(stream, ", ", whole(totals, "hangs"), "hang");
	print_count(stream, ", ", whole(totals, "reloads"), "reload");
	print_count(stream, ", ", whole(totals, "upgrades"), "upgrade");
	fprintf(stream, "\n");
	if (whole(totals, "datagrams") > 0) {
		print_count(stream, "", whole(totals, "datagrams"), "datagram");
		fprintf(stream, ", %lld answered\n", (long long)whole(totals, "replies"));
	}
	if (whole(totals, "refused") > 0) {
		print_count(stream, "", whole(totals, "refused"), "connection");
		fprintf(stream, " refused: the log says why\n");
	}
}

static void
print_head(FILE *stream, const json_t *state)
{
	const json_t *address;
	json_int_t processes = whole(state, "processes"), threads = whole(state, "threads");
	size_t i;

	fprintf(stream, "%s %s, pid %lld: %s%s", text_of(state, "name"), text_of(state, "version"),
		(long long)whole(state, "pid"), text_of(state, "phase"),
		json_is_true(json_object_get(state, "ready")) ? ", ready" : ", not ready");
	fprintf(stream, "\nlistens on");
	json_array_foreach(json_object_get(state, "addresses"), i, address)
		fprintf(stream, "%s %s", i > 0 ? "," : "", json_string_value(address));
	fprintf(stream, "; %lld process%s", (long long)processes, processes == 1 ? "" : "es");
	print_count(stream, " x ", threads, "thread");
	fprintf(stream, ", generation %lld\n", (long long)whole(state, "generation"));
	print_totals(stream, state);
	fprintf(stream, "\n");
}

static void
print_workers(FILE *stream, const json_t *workers)
{
	const json_t *worker, *hub;
	size_t i, j;
	char line[256];

	json_array_foreach(workers, i, worker)
	{
		if (json_array_size(json_object_get(worker, "hubs")) == 0) {
			view_worker(line, sizeof line, worker);
			fprintf(stream, "%s\n", line);
		}
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
		{
			view_hub(line, sizeof line, worker, hub, NULL, 0);
			fprintf(stream, "%s\n", line);
		}
	}
}

static void
print_events(FILE *stream, const json_t *events)
{
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		time_t when = (time_t)whole(event, "time");
		struct tm local;
		char text[32];

		if (i == 5)
			break;
		strftime(text, sizeof text, "%F %T", localtime_r(&when, &local));
		fprintf(stream, "%s%s  %s\n", i == 0 ? "\n" : "", text, text_of(event, "text"));
	}
}

const char view_listeners_heading[] =
	"LISTENER                         CONNS  ACCEPTED  REFUSED  DATAGRAMS";

/* Whether a listener is told of: the server listens on it, or has done so. */
static bool
is_in_use(const json_t *listener)
{
	return json_is_true(json_object_get(listener, "listens")) ||
	       whole(listener, "accepts") > 0 || whole(listener, "datagrams") > 0;
}

bool
view_listener(char *line, int size, const json_t *state, size_t index)
{
	const json_t *listeners = json_object_get(state, "listeners"), *each, *found = NULL;
	size_t i, used = 0;

	json_array_foreach(listeners, i, each)
	{
		if (is_in_use(each) && used++ == index)
			found = each;
	}
	if (found == NULL || used < 2)
		return false;
	snprintf(line, (size_t)size, "%-31.31s  %5lld  %8lld  %7lld  %9lld",
		text_of(found, "listener"), (long long)whole(found, "connections"),
		(long long)whole(found, "accepts"), (long long)whole(found, "refused"),
		(long long)whole(found, "datagrams"));
	return true;
}

static void
print_listeners(FILE *stream, const json_t *state)
{
	char line[256];

	for (size_t i = 0; view_listener(line, sizeof line, state, i); i++) {
		if (i == 0)
			fprintf(stream, "\n%s\n", view_listeners_heading);
		fprintf(stream, "%s\n", line);
	}
}

static void
print_requests(FILE *stream, const json_t *state)
{
	const json_t *worker, *hub;
	size_t i, j;
	char line[256];

	if (!view_has_requests(state))
		return;
	fprintf(stream, "\n%s\n", view_requests_heading);
	json_array_foreach(json_object_get(state, "workers"), i, worker)
	{
		json_array_foreach(json_object_get(worker, "hubs"), j, hub)
		{
			view_requests(line, sizeof line, worker, hub, state, NULL, 0);
			fprintf(stream, "%s\n", line);
		}
	}
	view_requests(line, sizeof line, NULL, NULL, state, NULL, 0);
	fprintf(stream, "%s\n", line);
}

static void
print_metrics(FILE *stream, json_t *metrics)
{
	const char *name;
	json_t *value;
	char line[256];

	if (json_object_size(metrics) > 0)
		fprintf(stream, "\n");
	json_object_foreach(metrics, name, value)
	{
		view_metric(line, sizeof line, name, value);
		fprintf(stream, "%s\n", line);
	}
}

void
view_print(FILE *stream, const json_t *state)
{
	print_head(stream, state);
	fprintf(stream, "%s\n", view_hub_heading);
	print_workers(stream, json_object_get(state, "workers"));
	print_workers(stream, json_object_get(state, "draining"));
	print_listeners(stream, state);
	print_requests(stream, state);
	print_metrics(stream, json_object_get(state, "metrics"));
	print_events(stream, json_object_get(state, "events"));
}
