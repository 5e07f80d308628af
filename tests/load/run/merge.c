/* Parts are of one load if they ran at the same time and differ in nothing but their shares of the
 * rate, the connections and the messages. Windows that begin a little apart are one window, as long
 * as the longest of them: the rates of the parts add. What a server says of itself it says of the
 * load of all parts, so it is taken once: from before the first part, and from after the last. */
#include "tests/load/run/merge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/values.h"
#include "tests/load/run/merge_series.h"
#include "tests/load/show/json_read.h"

#define OVERLAP_MIN 0.9 /* share of the longest window in which all parts must run */

/* ---- whether they belong together ---- */

/* The runs that a result is made of, by the ids of the results of one load each. */
static const char *
origin(const struct part *part, size_t index)
{
	const json_t *parts = json_at(part->json, "parts");

	if (!json_is_array(parts))
		return index == 0 ? part->result->id : NULL;
	return json_string_value(json_object_get(json_array_get(parts, index), "id"));
}

static bool
share_a_run(const struct part *one, const struct part *other)
{
	const char *a, *b;

	for (size_t i = 0; (a = origin(one, i)) != NULL; i++)
		for (size_t k = 0; (b = origin(other, k)) != NULL; k++)
			if (strcmp(a, b) == 0)
				return true;
	return false;
}

static void
doubt_twins(struct result *result, const struct part *parts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = i + 1; k < count; k++)
			if (share_a_run(&parts[i], &parts[k]))
				result_doubt(result, "%.100s and %.100s are of the same run",
					parts[i].name, parts[k].name);
}

static void
doubt_differences(struct result *result, const struct part *first, const struct part *part)
{
	static const char *const keys[] = {"targets", "mode", "arrivals", "depth", "size",
		"framing", "requests", "reply", "verify", "churn", "lifetime_s", "close", "redial",
		"roam", "tls", "alpn", "proxy_header", "max_inflight", "overload", "timeout_s",
		"deadline_s", "nodelay"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const json_t *one = part_config(first, keys[i]),
			     *other = part_config(part, keys[i]);
		char *one_text, *other_text;

		if (json_equal(one, other))
			continue;
		one_text = json_dumps(one, JSON_ENCODE_ANY);
		other_text = json_dumps(other, JSON_ENCODE_ANY);
		result_doubt(result, "the loads differ: %s is %.60s in %.50s, %.60s in %.50s",
			keys[i], one_text, first->name, other_text, part->name);
		free(one_text);
		free(other_text);
	}
	if (first->result->run_count != part->result->run_count)
		result_doubt(result, "%.80s has %u runs, %.80s %u", first->name,
			first->result->run_count, part->name, part->result->run_count);
}

/* Carries on what a part's own judgement found. */
static void
doubt_part(struct result *result, const struct part *part)
{
	const json_t *reasons = json_at(part->json, "generator.reasons");
	const char *why = json_string_value(json_array_get(reasons, 0));

	if (part->result->trouble[0] != '\0')
		result_doubt(
			result, "%.80s could not run: %.150s", part->name, part->result->trouble);
	else if (part->is_interrupted)
		result_doubt(result, "%.80s was interrupted", part->name);
	else if (!part->is_valid)
		result_doubt(result, "%.80s: %.160s", part->name,
			why != NULL ? why : "its measurement is invalid");
}

/* ---- windows ---- */

/* Finds when run index began first, and its longest window. Windows that hardly overlap are no
 * measurement of one load. */
static void
join_windows(struct result *result, const struct part *parts, unsigned count, unsigned index)
{
	struct run *joined = &result->runs[index];
	double overlap = INFINITY;
	int64_t last = 0;

	joined->began = INT64_MAX;
	for (unsigned i = 0; i < count; i++) {
		const struct run *run = &parts[i].result->runs[index];

		if (index >= parts[i].result->run_count)
			continue;
		joined->began = run->began < joined->began ? run->began : joined->began;
		joined->seconds = fmax(joined->seconds, run->seconds);
		last = run->began > last ? run->began : last;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct run *run = &parts[i].result->runs[index];

		if (index < parts[i].result->run_count)
			overlap = fmin(
				overlap, run->seconds - merge_seconds_between(run->began, last));
	}
	if (overlap < OVERLAP_MIN * joined->seconds)
		result_doubt(result,
			"run %u: all parts ran at the same time for %.3g of %.3g s only; begin "
			"them "
			"together, with --start-at",
			index + 1, fmax(overlap, 0), joined->seconds);
}

static void
join_runs(struct result *result, const struct part *parts, unsigned count)
{
	struct measurement *total = &result->total;

	total->seconds = 0;
	for (unsigned index = 0; index < result->run_count; index++) {
		struct run *joined = &result->runs[index];

		joined->summary = (struct summary){.p50 = -1, .p99 = -1, .p99_9 = -1, .max = -1};
		join_windows(result, parts, count, index);
		total->seconds += joined->seconds;
		for (unsigned i = 0; i < count; i++)
			if (index < parts[i].result->run_count)
				merge_add_summary(
					&joined->summary, &parts[i].result->runs[index].summary);
	}
	/* A single run has all replies that there are, and so their exact percentiles. */
	if (result->run_count == 1) {
		result->runs[0].summary = result_summarize(total);
		result->runs[0].summary.achieved = result_achieved(result);
	}
}

/* ---- the load of all ---- */

static void
add_gate(struct load *load, const struct gate *gate)
{
	for (unsigned i = 0; i < load->fail_if_count; i++)
		if (strcmp(load->fail_if[i].text, gate->text) == 0)
			return;
	if (load->fail_if_count < LOAD_GATES_MAX)
		load->fail_if[load->fail_if_count++] = *gate;
}

/* Adds what a part is judged by: of limits the stricter. */
static void
add_limits(struct load *load, const struct load *part)
{
	for (unsigned i = 0; i < part->fail_if_count; i++)
		add_gate(load, &part->fail_if[i]);
	load->allows_errors = load->allows_errors && part->allows_errors;
	load->allows_partial = load->allows_partial && part->allows_partial;
	load->max_lag_share = fmin(load->max_lag_share, part->max_lag_share);
	if (part->max_lag > 0 && (load->max_lag == 0 || part->max_lag < load->max_lag))
		load->max_lag = part->max_lag;
}

static void
join_loads(struct load *load, const struct part *parts, unsigned count)
{
	struct load own = *load;
	bool is_constant = true;

	*load = parts[0].load;
	memcpy(load->fail_if, own.fail_if, sizeof load->fail_if);
	load->fail_if_count = own.fail_if_count;
	load->percentile_count = own.percentile_count;
	memcpy(load->percentiles, own.percentiles, sizeof load->percentiles);
	load->rate.from = 0;
	load->connections = load->idle = load->processes = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct load *part = &parts[i].load;
		double rate;

		load->rate.from += part->rate.from;
		load->connections += part->connections;
		load->idle += part->idle;
		load->processes += part->processes;
		load->threads = part->threads > load->threads ? part->threads : load->threads;
		if (part->interval != load->interval)
			load->interval = 0;
		load->repeat = part->repeat > load->repeat ? part->repeat : load->repeat;
		add_limits(load, part);
		is_constant = is_constant && values_read_number(part->rate_text, &rate);
	}
	if (load->is_open && is_constant)
		snprintf(load->rate_text, sizeof load->rate_text, "%.15g", load->rate.from);
	else if (load->is_open)
		snprintf(load->rate_text, sizeof load->rate_text, "various");
}

/* ---- the JSON of all ---- */

/* What is kept of a part. */
static void
add_origin(json_t *origins, const struct part *part)
{
	static const char *const keys[] = {"id", "started", "verdict", "exit_code", "env"};
	const json_t *parts = json_at(part->json, "parts");
	json_t *object;

	if (json_is_array(parts)) {
		json_array_extend(origins, (json_t *)(uintptr_t)parts);
		return;
	}
	object = json_object();
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		json_object_set(object, keys[i], json_at(part->json, keys[i]));
	json_object_set(object, "seed", (json_t *)(uintptr_t)part_config(part, "seed"));
	json_object_set(
		object, "connections", (json_t *)(uintptr_t)part_config(part, "connections"));
	json_object_set(object, "achieved", json_at(part->json, "load.achieved"));
	json_object_set(object, "messages", json_at(part->json, "load.messages"));
	json_array_append_new(origins, object);
}

/* The configuration of the first part, with the sums of all. */
static json_t *
join_configs(const struct load *load, const struct part *first)
{
	json_t *config = json_deep_copy(json_at(first->json, "config")), *gates = json_array();

	for (unsigned i = 0; i < load->fail_if_count; i++)
		json_array_append_new(gates, json_string(load->fail_if[i].text));
	if (load->is_open)
		json_object_set_new(config, "rate", json_real(load->rate.from));
	if (load->is_open)
		json_object_set_new(config, "rate_shape", json_string(load->rate_text));
	json_object_set_new(config, "connections", json_integer(load->connections));
	json_object_set_new(config, "idle", json_integer(load->idle));
	json_object_set_new(config, "processes", json_integer(load->processes));
	json_object_set_new(config, "threads", json_integer(load->threads));
	json_object_set_new(config, "repeat", json_integer(load->repeat));
	json_object_set_new(config, "interval_ns", json_integer(load->interval));
	json_object_set_new(config, "fail_if", gates);
	json_object_set_new(config, "allow_errors", json_boolean(load->allows_errors));
	json_object_set_new(config, "allow_partial", json_boolean(load->allows_partial));
	json_object_set_new(config, "max_lag_ns", json_integer(load->max_lag));
	json_object_set_new(config, "max_lag_share", json_real(load->max_lag_share));
	return config;
}

/* The end of a part's last run. */
static int64_t
end_of(const struct part *part)
{
	const struct result *result = part->result;
	const struct run *last = &result->runs[result->run_count - 1];

	return result->run_count == 0 ? 0 : last->began + (int64_t)(last->seconds * 1e6);
}

/* What the server says of itself. NULL if no part asked it, or parts asked different servers. */
static json_t *
join_servers(const struct part *parts, unsigned count)
{
	const struct part *first = NULL, *last = NULL;

	for (unsigned i = 0; i < count; i++) {
		const json_t *server = json_at(parts[i].json, "server");

		if (server == NULL)
			continue;
		if (first != NULL && !json_equal(json_at(server, "source"),
					     json_at(first->json, "server.source")))
			return NULL;
		if (first == NULL || parts[i].result->runs[0].began < first->result->runs[0].began)
			first = &parts[i];
		if (last == NULL || end_of(&parts[i]) > end_of(last))
			last = &parts[i];
	}
	if (first == NULL)
		return NULL;
	return json_pack("{s:O?, s:O?, s:O?}", "source", json_at(first->json, "server.source"),
		"before", json_at(first->json, "server.before"), "after",
		json_at(last->json, "server.after"));
}

static void
join_json(struct result *result, const struct part *parts, unsigned count)
{
	json_t *merged = json_object(), *origins = json_array(), *servers;
	const json_t *started = NULL;

	for (unsigned i = 0; i < count; i++) {
		const json_t *each = json_at(parts[i].json, "started");

		add_origin(origins, &parts[i]);
		if (started == NULL ||
			strcmp(json_string_value(each), json_string_value(started)) < 0)
			started = each;
	}
	json_object_set(merged, "started", (json_t *)(uintptr_t)started);
	json_object_set(merged, "env", json_at(parts[0].json, "env"));
	json_object_set_new(merged, "config", join_configs(result->load, &parts[0]));
	json_object_set_new(merged, "parts", origins);
	servers = join_servers(parts, count);
	if (servers != NULL)
		json_object_set_new(merged, "server", servers);
	result->merged = merged;
}

/* ---- the whole ---- */

static void
add_part(struct result *result, const struct part *part)
{
	const struct result *from = part->result;
	uint64_t most = result->total.tally.in_flight_max + from->total.tally.in_flight_max;

	measurement_add(&result->total, &from->total);
	result->total.tally.in_flight_max = most;
	result->planned += from->planned;
	for (unsigned i = 0; i < from->cpu_count; i++)
		if (result->cpu_count < LOAD_THREADS_MAX)
			result->cpu[result->cpu_count++] = from->cpu[i];
		else
			result->cpu[0] = fmax(result->cpu[0], from->cpu[i]);
	if (result->offence[0] == '\0')
		memcpy(result->offence, from->offence, sizeof result->offence);
	if (result->aborted[0] == '\0')
		memcpy(result->aborted, from->aborted, sizeof result->aborted);
	if (from->run_count > result->run_count)
		result->run_count = from->run_count;
}

struct result *
merge_parts(const struct part *parts, unsigned count, struct load *load)
{
	struct result *result;

	join_loads(load, parts, count);
	result = result_new(load);
	if (result == NULL)
		return NULL;
	doubt_twins(result, parts, count);
	for (unsigned i = 0; i < count; i++) {
		doubt_part(result, &parts[i]);
		if (i > 0)
			doubt_differences(result, &parts[0], &parts[i]);
		add_part(result, &parts[i]);
	}
	join_runs(result, parts, count);
	result->deserted = result->total.tally.opened > 0 && result->total.tally.alive_end == 0;
	if (!merge_series(result, parts, count)) {
		result_free(result);
		return NULL;
	}
	join_json(result, parts, count);
	result_judge(result);
	return result;
}
