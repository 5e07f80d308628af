/* From the JSON of a result to the counters and histograms that it was made of. Each value is read
 * by a function that knows its bounds; the first that is missing or wrong is reported, and then the
 * reading goes on with zeros, to an end that refuses the file. The bounds are such that no sum over
 * MERGE_PARTS_MAX parts overflows. */
#include "tests/load/run/part.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/field.h"
#include "tests/load/count/hdr.h"
#include "tests/load/show/json_read.h"

#define COUNT_MAX (UINT64_C(1) << 53) /* every number of JSON is exact up to it */
#define LEVEL_MAX (UINT64_C(1) << 24) /* of what is an unsigned */
#define SECONDS_MAX 1e9               /* thirty years */
#define RATE_MAX 1e15                 /* per second */
#define TIME_MAX (UINT64_C(1) << 62)  /* nanoseconds */
#define SCHEMA_LEAST 2                /* the first that has all that a merge needs */

/* ---- the load ---- */

static void
take_targets(struct json_reading *reading, struct load *load)
{
	const json_t *targets = json_take_array(reading, "config.targets", LOAD_TARGETS_MAX);

	for (size_t i = 0; i < json_array_size(targets); i++) {
		const char *text = json_string_value(json_array_get(targets, i));

		if (text == NULL) {
			json_complain(reading, "config.targets", "a list of texts");
			text = "";
		}
		snprintf(load->target_text[i], sizeof load->target_text[i], "%s", text);
		load->targets[i].kind = strncmp(text, "udp:", 4) == 0    ? ADDRESS_UDP
					: strncmp(text, "unix:", 5) == 0 ? ADDRESS_UNIX
									 : ADDRESS_TCP;
	}
	load->target_count = (unsigned)json_array_size(targets);
	if (load->target_count == 0)
		json_complain(reading, "config.targets", "a list of targets");
}

static void
take_gates(struct json_reading *reading, struct load *load)
{
	const json_t *gates = json_take_array(reading, "config.fail_if", LOAD_GATES_MAX);

	for (size_t i = 0; i < json_array_size(gates); i++) {
		const char *text = json_string_value(json_array_get(gates, i));
		char why[256];

		if (text == NULL || strlen(text) >= GATE_TEXT_SIZE ||
			!gate_read(text, &load->fail_if[load->fail_if_count++], why, sizeof why))
			json_complain(reading, "config.fail_if", "a list of gates");
	}
	load->allows_errors = json_take_flag(reading, "config.allow_errors");
	load->allows_partial = json_take_flag(reading, "config.allow_partial");
	load->max_lag = (int64_t)json_take_whole(reading, "config.max_lag_ns", TIME_MAX);
	load->max_lag_share = json_take_real(reading, "config.max_lag_share", 1e6);
}

/* Results before schema_version 3 have neither of these. */
static void
take_beginnings(struct json_reading *reading, struct load *load)
{
	char text[sizeof load->alpn_text] = "";

	if (json_at(reading->json, "config.alpn") == NULL)
		return;
	json_take_text(reading, "config.alpn", text, sizeof text);
	if (text[0] != '\0' && field_alpn(text, load) != NULL)
		json_complain(reading, "config.alpn", "a list of protocols");
	if (!json_is_null(json_at(reading->json, "config.proxy_header")))
		load->proxy_header = (enum load_proxy)json_take_word(
			reading, "config.proxy_header", load_proxy_names, LOAD_PROXY_MAX);
}

/* What is told of idle connections beside their number; results of before have nothing of it. */
static void
take_idle(struct json_reading *reading, struct load *load)
{
	if (json_at(reading->json, "config.redial") == NULL)
		return;
	load->redials = json_take_flag(reading, "config.redial");
	load->roam = (int64_t)json_take_whole_or(reading, "config.roam", COUNT_MAX, 0);
}

static void
take_load(struct json_reading *reading, struct part *part)
{
	static const char *const modes[] = {"closed", "open"};
	struct load *load = &part->load;

	load->requests = &part->requests;
	take_targets(reading, load);
	load->is_open = json_take_word(reading, "config.mode", modes, 2) == 1;
	if (load->is_open)
		load->rate.from = json_take_real(reading, "config.rate", RATE_MAX);
	json_take_text(reading, "config.rate_shape", load->rate_text, sizeof load->rate_text);
	json_take_text(reading, "config.arrivals", load->arrivals_text, sizeof load->arrivals_text);
	load->depth = (unsigned)json_take_whole_or(reading, "config.depth", LEVEL_MAX, 0);
	load->connections = (unsigned)json_take_whole(reading, "config.connections", LEVEL_MAX);
	load->idle = (unsigned)json_take_whole(reading, "config.idle", LEVEL_MAX);
	load->processes = (unsigned)json_take_whole(reading, "config.processes", LEVEL_MAX);
	load->threads = (unsigned)json_take_whole(reading, "config.threads", LEVEL_MAX);
	load->source_count = (unsigned)json_take_whole(reading, "config.sources", LEVEL_MAX);
	json_take_text(reading, "config.size", load->sizes_text, sizeof load->sizes_text);
	part->requests.count =
		(unsigned)json_array_size(json_take_array(reading, "config.requests", LEVEL_MAX));
	json_take_text(reading, "config.reply", load->reply_text, sizeof load->reply_text);
	load->reply.kind = strcmp(load->reply_text, "echo") == 0 ? REPLY_ECHO : REPLY_LINE;
	load->verify = (enum message_verify)json_take_word(
		reading, "config.verify", message_verify_names, MESSAGE_VERIFY_MAX);
	load->churn = (int64_t)json_take_whole_or(reading, "config.churn", COUNT_MAX, UINT64_MAX);
	load->close = (enum load_close)json_take_word(
		reading, "config.close", load_close_names, LOAD_CLOSE_MAX);
	load->has_tls = json_take_flag(reading, "config.tls");
	take_beginnings(reading, load);
	take_idle(reading, load);
	load->interval = (int64_t)json_take_whole(reading, "config.interval_ns", TIME_MAX);
	take_gates(reading, load);
}

/* ---- the measurement ---- */

static const struct {
	const char *path;
	size_t offset;
} counts[] = {
	{"load.due", offsetof(struct tally, due)},
	{"load.messages", offsetof(struct tally, received)},
	{"load.bytes_out", offsetof(struct tally, bytes_sent)},
	{"load.bytes_in", offsetof(struct tally, bytes_received)},
	{"load.inflight_max", offsetof(struct tally, in_flight_max)},
	{"load.shed", offsetof(struct tally, shed)},
	{"load.lost", offsetof(struct tally, lost)},
	{"load.expired", offsetof(struct tally, expired)},
	{"load.unsent", offsetof(struct tally, unsent)},
	{"connections.opened", offsetof(struct tally, opened)},
	{"connections.failed", offsetof(struct tally, failed)},
	{"connections.alive_end", offsetof(struct tally, alive_end)},
	{"connections.alive_end", offsetof(struct tally, alive)},
	{"connections.reconnects", offsetof(struct tally, reconnects)},
	{"connections.idle_opened", offsetof(struct tally, idle_opened)},
	{"connections.idle_alive_end", offsetof(struct tally, idle_alive)},
	{"connections.delayed", offsetof(struct tally, delayed)},
	{"errors.by_kind.timeout", offsetof(struct tally, timeouts)},
	{"errors.by_kind.refused", offsetof(struct tally, refused)},
	{"errors.by_kind.eof", offsetof(struct tally, ends)},
	{"errors.by_kind.idle", offsetof(struct tally, idle_dead)},
	{"verify.checked", offsetof(struct tally, checked)},
	{"generator.pause_max_ns", offsetof(struct tally, pause_max)},
	{"generator.involuntary_switches", offsetof(struct tally, switches)},
};

/* The errno of a name; SEGMENT_ERRNO_MAX if there is none. The name of those without one is
 * "unknown". */
static int
errno_of(const char *name)
{
	int error = 0;

	for (; error < SEGMENT_ERRNO_MAX; error++) {
		const char *known = strerrorname_np(error);

		if (strcmp(known != NULL ? known : "unknown", name) == 0)
			break;
	}
	return error;
}

static void
take_errors(struct json_reading *reading, struct tally *tally)
{
	for (int call = 0; call < SEGMENT_CALL_MAX; call++) {
		struct json_reading inner = *reading;
		char path[64];
		const char *name;
		json_t *value;

		snprintf(path, sizeof path, "errors.by_kind.%s", segment_call_names[call]);
		inner.json = json_at(reading->json, path);
		if (!json_is_object(inner.json))
			json_complain(reading, path, "an object of counts");
		json_object_foreach((json_t *)(uintptr_t)inner.json, name, value)
		{
			int error = errno_of(name);

			(void)value;
			if (error == SEGMENT_ERRNO_MAX)
				json_complain(
					reading, path, "an object of counts by the names of errno");
			else
				tally->errors[call][error] =
					json_take_whole(&inner, name, COUNT_MAX);
		}
		reading->is_bad = reading->is_bad || inner.is_bad;
	}
}

/* The name of a protocol may have dots, so it is no path. */
static void
take_protocols(struct json_reading *reading, const struct load *load, struct tally *tally)
{
	const json_t *counts_by_name = json_at(reading->json, "connections.alpn");

	for (unsigned i = 0; load->alpn[0] != NULL && (i == 0 || load->alpn[i - 1] != NULL); i++) {
		const json_t *count =
			json_object_get(counts_by_name, i == 0 ? "" : load->alpn[i - 1]);
		json_int_t value = json_integer_value(count);

		if (!json_is_integer(count) || value < 0 || (uint64_t)value > COUNT_MAX) {
			json_complain(reading, "connections.alpn", "counts by protocol");
			return;
		}
		tally->agreed[i] = (uint64_t)value;
	}
}

static void
take_tally(struct json_reading *reading, const struct load *load, struct tally *tally)
{
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		*(uint64_t *)(void *)((char *)tally + counts[i].offset) =
			json_take_whole(reading, counts[i].path, COUNT_MAX);
	if (json_at(reading->json, "connections.idle_reconnects") != NULL)
		tally->idle_reconnects =
			json_take_whole(reading, "connections.idle_reconnects", COUNT_MAX);
	take_errors(reading, tally);
	take_protocols(reading, load, tally);
	for (int i = 0; i < MESSAGE_FAULT_MAX; i++) {
		char path[64];

		snprintf(path, sizeof path, "verify.%s", message_fault_names[i]);
		tally->faults[i] = json_take_whole(reading, path, COUNT_MAX);
	}
}

/* Whether the buckets have so many values in all as the histogram says, which is no sum that has
 * gone over. */
static bool
adds_up(const struct histogram *histogram, uint64_t count)
{
	uint64_t left = count;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (histogram->buckets[i] > left)
			return false;
		left -= histogram->buckets[i];
	}
	return left == 0;
}

static unsigned
bucket_of(uint64_t value)
{
	return histogram_bucket(value > HISTOGRAM_VALUE_MAX ? HISTOGRAM_VALUE_MAX : (int64_t)value);
}

/* Reads a histogram: its buckets are encoded; their exact sum and bounds stand beside. */
static void
take_histogram(struct json_reading *reading, const char *path, struct histogram *histogram)
{
	struct json_reading inner = {reading->name, json_at(reading->json, path), reading->is_bad};
	uint64_t count = json_take_whole(&inner, "count", COUNT_MAX), min, max;
	const char *text = json_string_value(json_at(inner.json, "hdr_v2"));

	reading->is_bad = inner.is_bad;
	if (count == 0 || inner.is_bad)
		return;
	min = json_take_whole(&inner, "min", COUNT_MAX);
	max = json_take_whole(&inner, "max", COUNT_MAX);
	if (text == NULL || !hdr_decode(text, histogram) || !adds_up(histogram, count))
		json_complain(&inner, "hdr_v2", "the encoding of so many values as count says");
	else if (min > max || bucket_of(min) != bucket_of((uint64_t)histogram->min) ||
		 bucket_of(max) != bucket_of((uint64_t)histogram->max))
		json_complain(
			&inner, "min", "the least of the encoded values, or max their greatest");
	histogram->count = count;
	histogram->min = (int64_t)min;
	histogram->max = (int64_t)max;
	histogram->sum = json_take_real(&inner, "sum", 1e30);
	reading->is_bad = inner.is_bad;
}

/* A percentile of an interval or a run; -1 for null. */
static int64_t
take_time(struct json_reading *reading, const char *path)
{
	return (int64_t)json_take_whole_or(reading, path, COUNT_MAX, UINT64_MAX);
}

static void
take_summary(struct json_reading *reading, struct summary *summary)
{
	*summary = (struct summary){.offered = json_take_real(reading, "offered", RATE_MAX),
		.achieved = json_take_real(reading, "achieved", RATE_MAX),
		.p50 = take_time(reading, "p50"),
		.p99 = take_time(reading, "p99"),
		.p99_9 = take_time(reading, "p99_9"),
		.max = take_time(reading, "max"),
		.errors = json_take_whole(reading, "errors", COUNT_MAX)};
}

static void
take_runs(struct json_reading *reading, struct result *result)
{
	const json_t *runs = json_at(reading->json, "runs");

	for (size_t i = 0; i < json_array_size(runs); i++) {
		struct json_reading inner = {
			reading->name, json_array_get(runs, i), reading->is_bad};
		struct run *run = &result->runs[result->run_count++];

		run->began = (int64_t)json_take_whole(&inner, "began_us", COUNT_MAX);
		run->seconds = json_take_real(&inner, "seconds", SECONDS_MAX);
		take_summary(&inner, &run->summary);
		reading->is_bad = inner.is_bad;
	}
}

static void
take_series(struct json_reading *reading, struct result *result)
{
	const json_t *series = json_at(reading->json, "series");

	for (size_t i = 0; i < json_array_size(series) && !reading->is_bad; i++) {
		struct json_reading inner = {reading->name, json_array_get(series, i), false};
		struct interval interval = {
			.run = (unsigned)json_take_whole(&inner, "run", LEVEL_MAX),
			.t = json_take_real(&inner, "t", SECONDS_MAX),
			.lag_p99 = take_time(&inner, "lag_p99"),
			.open = json_take_whole(&inner, "open", COUNT_MAX),
			.in_flight = json_take_whole(&inner, "in_flight", COUNT_MAX)};

		take_summary(&inner, &interval.summary);
		if (interval.run >= result->run_count)
			json_complain(&inner, "run", "one of the runs");
		result_add_interval(result, &interval);
		reading->is_bad = inner.is_bad;
	}
}

static void
take_generator(struct json_reading *reading, struct part *part)
{
	struct result *result = part->result;
	const json_t *cpu = json_take_array(reading, "generator.cpu_pct", LOAD_THREADS_MAX);

	for (size_t i = 0; i < json_array_size(cpu); i++)
		result->cpu[result->cpu_count++] = json_number_value(json_array_get(cpu, i)) / 100;
	part->is_valid = json_take_flag(reading, "generator.valid");
	part->is_interrupted = json_take_flag(reading, "interrupted");
	json_take_array(reading, "generator.reasons", LEVEL_MAX);
}

static void
take_result(struct json_reading *reading, struct part *part)
{
	struct result *result = part->result;
	struct measurement *total = &result->total;
	char started[32] = "";

	result->id[0] = '\0';
	json_take_text(reading, "id", result->id, sizeof result->id);
	if (strlen(result->id) != RESULT_ID_SIZE - 1)
		json_complain(reading, "id", "an id");
	json_take_text(reading, "started", started, sizeof started);
	if (started[0] == '\0')
		json_complain(reading, "started", "a time");
	json_take_text(reading, "aborted", result->aborted, sizeof result->aborted);
	json_take_text(reading, "trouble", result->trouble, sizeof result->trouble);
	json_take_text(reading, "verify.first", result->offence, sizeof result->offence);
	result->planned = json_take_real(reading, "load.planned", RATE_MAX);
	total->seconds = json_take_real(reading, "duration_s", SECONDS_MAX);
	take_tally(reading, &part->load, &total->tally);
	take_histogram(reading, "latency_ns.response", &total->response);
	take_histogram(reading, "latency_ns.service", &total->service);
	take_histogram(reading, "latency_ns.connect", &total->connect);
	take_histogram(reading, "latency_ns.send_lag", &total->lag);
	take_runs(reading, result);
	take_series(reading, result);
	take_generator(reading, part);
}

/* ---- the whole ---- */

bool
part_read(struct part *part, const char *path)
{
	struct json_reading reading = {0};
	size_t runs;

	reading.name = part->name = strcmp(path, "-") == 0 ? "the standard input" : path;
	reading.json = part->json = json_read_result(path);
	if (part->json == NULL)
		return false;
	if (json_number_at(part->json, "schema_version", 0) < SCHEMA_LEAST) {
		fprintf(stderr,
			"hubbub-load: %s was written by an earlier version of hubbub-load, and "
			"lacks what a merge needs (id, load.due and planned, config.fail_if, "
			"began_us of each run, sum of each histogram): run the load again\n",
			part->name);
		return false;
	}
	runs = json_array_size(json_at(part->json, "runs"));
	if (runs > LOAD_REPEAT_MAX) {
		json_complain(&reading, "runs", "an array of as many runs as --repeat allows");
		return false;
	}
	part->load.repeat = runs > 0 ? (unsigned)runs : 1;
	part->result = result_new(&part->load);
	if (part->result == NULL) {
		fprintf(stderr, "hubbub-load: no memory for %s\n", part->name);
		return false;
	}
	take_load(&reading, part);
	take_result(&reading, part);
	return !reading.is_bad;
}

void
part_free(struct part *part)
{
	result_free(part->result);
	json_decref(part->json);
}

const json_t *
part_config(const struct part *part, const char *key)
{
	const json_t *value = json_object_get(json_at(part->json, "config"), key);

	return value != NULL ? value : json_null();
}
