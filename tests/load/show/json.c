/* A result as a tree of JSON, part by part, in the order of result.schema.json. A value that is not
 * known is null. Text that came from a user or a server goes through printable_json, since JSON
 * must be valid UTF-8. */
#include "tests/load/show/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/base/printable.h"
#include "master/start/cpus.h"
#include "tests/load/ask/machine.h"
#include "tests/load/count/hdr.h"
#include "tests/load/show/outfile.h"

static json_t *
real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *
whole(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* Nanoseconds; a negative value is not known. */
static json_t *
nanoseconds(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

/* A time in seconds; LOAD_NEVER is null. */
static json_t *
seconds(int64_t time)
{
	return time == LOAD_NEVER ? json_null() : real((double)time / 1e9);
}

static json_t *
text_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? printable_json(text) : json_null();
}

/* ---- parts ---- */

static json_t *
histogram(const struct histogram *histogram)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = {
		{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}, {"p99_99", 0.9999}};
	json_t *object = json_object();
	bool has_any = histogram->count > 0;
	char *encoded;

	json_object_set_new(object, "count", whole(histogram->count));
	/* As an integer it is exact, and merging adds up the same in any order. */
	json_object_set_new(object, "sum",
		histogram->sum < 0x1p62 ? json_integer((json_int_t)histogram->sum)
					: json_real(histogram->sum));
	json_object_set_new(object, "min", nanoseconds(has_any ? histogram->min : -1));
	json_object_set_new(object, "mean",
		has_any ? json_integer((json_int_t)histogram_mean(histogram)) : json_null());
	json_object_set_new(object, "stdev",
		has_any ? json_integer((json_int_t)histogram_deviation(histogram)) : json_null());
	json_object_set_new(object, "max", nanoseconds(has_any ? histogram->max : -1));
	for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
		json_object_set_new(object, shares[i].name,
			nanoseconds(histogram_percentile(histogram, shares[i].share)));
	encoded = has_any ? hdr_encode(histogram) : NULL;
	json_object_set_new(object, "hdr_v2", text_or_null(encoded));
	free(encoded);
	return object;
}

static json_t *
environment(void)
{
	struct utsname system;
	char line[256], model[128] = "";
	FILE *file = fopen("/proc/cpuinfo", "re");
	double ports = machine_ports();

	while (file != NULL && model[0] == '\0' && fgets(line, sizeof line, file) != NULL)
		sscanf(line, "model name : %127[^\n]", model);
	if (file != NULL)
		fclose(file);
	uname(&system);
	return json_pack("{s:o, s:s, s:o, s:i, s:I, s:f}", "host", printable_json(system.nodename),
		"kernel", system.release, "cpu", text_or_null(model), "cpus", (int)cpus_allowed(),
		"nofile", (json_int_t)machine_raise_files(), "ports", ports);
}

/* What is sent, if it is not for an echo, and what is expected of the replies. */
static json_t *
requests_part(const struct requests *requests)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < requests->count; i++) {
		const struct request *each = &requests->items[i];
		const char *own = each->expected.given, *all = requests->expected.given;
		json_array_append_new(array,
			json_pack("{s:o, s:o}", "request", printable_json(each->request.given),
				"expect", text_or_null(own != NULL ? own : all)));
	}
	return array;
}

/* What the measurement is judged by. */
static void
add_gates(json_t *object, const struct load *load)
{
	json_t *fail_if = json_array();

	for (unsigned i = 0; i < load->fail_if_count; i++)
		json_array_append_new(fail_if, printable_json(load->fail_if[i].text));
	json_object_set_new(object, "fail_if", fail_if);
	json_object_set_new(object, "allow_errors", json_boolean(load->allows_errors));
	json_object_set_new(object, "allow_partial", json_boolean(load->allows_partial));
	json_object_set_new(object, "max_lag_ns", whole((uint64_t)load->max_lag));
	json_object_set_new(object, "max_lag_share", real(load->max_lag_share));
}

static json_t *
configuration(const struct load *load)
{
	json_t *object = json_object(), *targets = json_array(), *argv = json_array();

	for (unsigned i = 0; i < load->target_count; i++)
		json_array_append_new(targets, printable_json(load->target_text[i]));
	for (int i = 0; i < load->argc; i++)
		json_array_append_new(argv, printable_json(load->argv[i]));
	json_object_set_new(object, "targets", targets);
	json_object_set_new(object, "mode", json_string(load->is_open ? "open" : "closed"));
	json_object_set_new(object, "rate", load->is_open ? real(load->rate.from) : json_null());
	json_object_set_new(
		object, "rate_shape", load->is_open ? json_string(load->rate_text) : json_null());
	json_object_set_new(
		object, "arrivals", load->is_open ? json_string(load->arrivals_text) : json_null());
	json_object_set_new(object, "depth", load->is_open ? json_null() : whole(load->depth));
	json_object_set_new(object, "connections", whole(load->connections));
	json_object_set_new(object, "idle", whole(load->idle));
	json_object_set_new(object, "redial", json_boolean(load->redials));
	json_object_set_new(
		object, "roam", load->roam == 0 ? json_null() : json_integer(load->roam));
	json_object_set_new(object, "processes", whole(load->processes));
	json_object_set_new(object, "threads", whole(load->threads));
	json_object_set_new(object, "size", json_string(load->sizes_text));
	json_object_set_new(object, "framing", json_string(message_framing_names[load->framing]));
	json_object_set_new(object, "requests", requests_part(load->requests));
	json_object_set_new(object, "reply", printable_json(load->reply_text));
	json_object_set_new(object, "verify", json_string(message_verify_names[load->verify]));
	json_object_set_new(
		object, "churn", load->churn < 0 ? json_null() : json_integer(load->churn));
	json_object_set_new(object, "lifetime_s", seconds(load->lifetime));
	json_object_set_new(object, "close", json_string(load_close_names[load->close]));
	json_object_set_new(object, "tls", json_boolean(load->has_tls));
	json_object_set_new(object, "alpn", text_or_null(load->alpn_text));
	json_object_set_new(object, "proxy_header",
		load->proxy_header != LOAD_PROXY_OFF
			? json_string(load_proxy_names[load->proxy_header])
			: json_null());
	json_object_set_new(object, "connect_rate", whole(load->connect_rate));
	json_object_set_new(object, "sources", whole(load->source_count));
	json_object_set_new(object, "slow", whole(load->slow));
	json_object_set_new(object, "max_inflight", whole(load->max_inflight));
	json_object_set_new(object, "overload", json_string(load->sheds ? "shed" : "queue"));
	json_object_set_new(object, "timeout_s", seconds(load->timeout));
	json_object_set_new(object, "deadline_s", seconds(load->deadline));
	json_object_set_new(object, "nodelay", json_boolean(load->nodelay));
	json_object_set_new(object, "spin", json_boolean(load->spins));
	json_object_set_new(object, "kernel_ts", json_boolean(load->kernel_times));
	json_object_set_new(object, "duration_s", seconds(load->duration));
	json_object_set_new(object, "count", load->count == 0 ? json_null() : whole(load->count));
	json_object_set_new(object, "seed", whole(load->seed));
	json_object_set_new(object, "warmup_s", seconds(load->warmup));
	json_object_set_new(object, "repeat", whole(load->repeat));
	json_object_set_new(object, "interval_ns", whole((uint64_t)load->interval));
	add_gates(object, load);
	json_object_set_new(object, "argv", argv);
	return object;
}

static json_t *
load_part(const struct result *result)
{
	const struct measurement *total = &result->total;
	const struct tally *tally = &total->tally;
	bool has_time = total->seconds > 0;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"planned", real(result->planned), "due", whole(tally->due), "offered",
		has_time ? real(result_offered(result)) : json_null(), "achieved",
		has_time ? real(result_achieved(result)) : json_null(), "ratio",
		tally->due > 0 ? real(measurement_ratio(total)) : json_null(), "messages",
		whole(tally->received), "bytes_out", whole(tally->bytes_sent), "bytes_in",
		whole(tally->bytes_received), "inflight_max", whole(tally->in_flight_max), "shed",
		whole(tally->shed), "lost", whole(tally->lost), "expired", whole(tally->expired),
		"unsent", whole(tally->unsent));
}

/* On which protocol of --alpn TLS handshakes have agreed; "" is for none. */
static json_t *
protocols_part(const struct load *load, const struct tally *tally)
{
	json_t *object = json_object();

	if (load->alpn[0] != NULL)
		json_object_set_new(object, "", whole(tally->agreed[0]));
	for (unsigned i = 0; load->alpn[i] != NULL; i++)
		json_object_set_new(object, load->alpn[i], whole(tally->agreed[i + 1]));
	return object;
}

static json_t *
connections_part(const struct result *result)
{
	const struct load *load = result->load;
	const struct tally *tally = &result->total.tally;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "delayed",
		whole(tally->delayed), "alpn", protocols_part(load, tally), "asked",
		whole((uint64_t)load->connections * result->run_count), "opened",
		whole(tally->opened), "failed", whole(tally->failed), "alive_end",
		whole(tally->alive_end), "reconnects", whole(tally->reconnects), "idle_asked",
		whole((uint64_t)load->idle * result->run_count), "idle_opened",
		whole(tally->idle_opened), "idle_reconnects", whole(tally->idle_reconnects),
		"idle_alive_end", whole(tally->idle_alive));
}

static json_t *
errors_part(const struct result *result)
{
	const struct tally *tally = &result->total.tally;
	json_t *kinds = json_object();

	for (int call = 0; call < SEGMENT_CALL_MAX; call++) {
		json_t *errors = json_object();

		for (int error = 0; error < SEGMENT_ERRNO_MAX; error++)
			if (tally->errors[call][error] > 0)
				json_object_set_new(errors,
					strerrorname_np(error) != NULL ? strerrorname_np(error)
								       : "unknown",
					whole(tally->errors[call][error]));
		json_object_set_new(kinds, segment_call_names[call], errors);
	}
	json_object_set_new(kinds, "timeout", whole(tally->timeouts));
	json_object_set_new(kinds, "refused", whole(tally->refused));
	json_object_set_new(kinds, "deadline", whole(tally->expired));
	json_object_set_new(kinds, "eof", whole(tally->ends));
	json_object_set_new(kinds, "unsent", whole(tally->unsent));
	json_object_set_new(kinds, "idle", whole(tally->idle_dead));
	return json_pack(
		"{s:o, s:o}", "total", whole(measurement_errors(&result->total)), "by_kind", kinds);
}

static json_t *
verify_part(const struct result *result)
{
	const struct tally *tally = &result->total.tally;
	json_t *object = json_object();

	json_object_set_new(object, "checked", whole(tally->checked));
	for (int i = 0; i < MESSAGE_FAULT_MAX; i++)
		json_object_set_new(object, message_fault_names[i], whole(tally->faults[i]));
	json_object_set_new(object, "first", text_or_null(result->offence));
	return object;
}

static json_t *
generator_part(const struct result *result)
{
	const struct measurement *total = &result->total;
	json_t *cpu = json_array(), *reasons = json_array(), *notes = json_array();

	for (unsigned i = 0; i < result->cpu_count; i++)
		json_array_append_new(cpu, real(100 * result->cpu[i]));
	for (unsigned i = 0; i < result->reason_count; i++)
		json_array_append_new(reasons, printable_json(result->reasons[i]));
	if (result->failure[0] != '\0')
		json_array_append_new(notes, printable_json(result->failure));
	for (unsigned i = 0; i < result->note_count; i++)
		json_array_append_new(notes, printable_json(result->notes[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "cpu_pct", cpu, "lag_p99_ns",
		nanoseconds(histogram_quantile(&total->lag, 0.99)), "pause_max_ns",
		whole(total->tally.pause_max), "involuntary_switches", whole(total->tally.switches),
		"valid", result->reason_count == 0, "reasons", reasons, "notes", notes);
}

static json_t *
gates_part(const struct result *result)
{
	json_t *gates = json_array();

	for (unsigned i = 0; i < result->gate_count; i++)
		json_array_append_new(gates,
			json_pack("{s:s, s:o, s:o, s:b}", "expr", result->gates[i].gate->text,
				"value",
				result->gates[i].value < 0 ? json_null()
							   : real(result->gates[i].value),
				"unit", result->gates[i].is_time ? json_string("ns") : json_null(),
				"ok", result->gates[i].is_ok));
	if (result->signal == 0 && !result->load->allows_errors)
		json_array_append_new(
			gates, json_pack("{s:s, s:o, s:n, s:b}", "expr", "errors>0", "value",
				       whole(measurement_errors(&result->total)), "unit", "ok",
				       !result->has_errors));
	return gates;
}

/* Adds the fields of a summary to object, and returns it. */
static json_t *
add_summary(json_t *object, const struct summary *summary)
{
	json_object_set_new(object, "offered", real(summary->offered));
	json_object_set_new(object, "achieved", real(summary->achieved));
	json_object_set_new(object, "p50", nanoseconds(summary->p50));
	json_object_set_new(object, "p99", nanoseconds(summary->p99));
	json_object_set_new(object, "p99_9", nanoseconds(summary->p99_9));
	json_object_set_new(object, "max", nanoseconds(summary->max));
	json_object_set_new(object, "errors", whole(summary->errors));
	return object;
}

json_t *
json_interval(const struct interval *interval)
{
	json_t *object = json_object();

	json_object_set_new(object, "run", whole(interval->run));
	json_object_set_new(object, "t", real(round(interval->t * 1e4) / 1e4));
	add_summary(object, &interval->summary);
	json_object_set_new(object, "lag_p99", nanoseconds(interval->lag_p99));
	json_object_set_new(object, "open", whole(interval->open));
	json_object_set_new(object, "in_flight", whole(interval->in_flight));
	return object;
}

static json_t *
runs_part(const struct result *result)
{
	json_t *runs = json_array();

	for (unsigned i = 0; i < result->run_count; i++)
		json_array_append_new(runs,
			add_summary(
				json_pack("{s:o, s:o}", "seconds", real(result->runs[i].seconds),
					"began_us", json_integer(result->runs[i].began)),
				&result->runs[i].summary));
	return runs;
}

/* ---- the whole ---- */

json_t *
json_result(const struct result *result)
{
	const struct measurement *total = &result->total;
	json_t *object = json_object(), *series = json_array();
	char started[32];
	struct tm broken;

	gmtime_r(&result->started.tv_sec, &broken);
	strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", &broken);
	for (size_t i = 0; i < result->series_count; i++)
		json_array_append_new(series, json_interval(&result->series[i]));
	json_object_set_new(object, "schema_version", json_integer(JSON_SCHEMA_VERSION));
	json_object_set_new(object, "tool", json_string("hubbub-load"));
	json_object_set_new(object, "version", json_string(HUBBUB_VERSION));
	json_object_set_new(object, "id", json_string(result->id));
	json_object_set_new(object, "verdict", json_string(result_verdict(result)));
	json_object_set_new(object, "exit_code", json_integer(result->code));
	json_object_set_new(object, "interrupted", json_boolean(result->signal != 0));
	json_object_set_new(object, "aborted", text_or_null(result->aborted));
	json_object_set_new(object, "trouble", text_or_null(result->trouble));
	json_object_set_new(object, "started", json_string(started));
	json_object_set_new(object, "duration_s", real(total->seconds));
	if (result->merged == NULL) {
		json_object_set_new(object, "env", environment());
		json_object_set_new(object, "config", configuration(result->load));
	}
	json_object_set_new(object, "load", load_part(result));
	json_object_set_new(object, "connections", connections_part(result));
	json_object_set_new(object, "latency_ns",
		json_pack("{s:o, s:o, s:o, s:o}", "response", histogram(&total->response),
			"service", histogram(&total->service), "connect",
			histogram(&total->connect), "send_lag", histogram(&total->lag)));
	json_object_set_new(object, "errors", errors_part(result));
	json_object_set_new(object, "verify", verify_part(result));
	json_object_set_new(object, "generator", generator_part(result));
	json_object_set_new(object, "gates", gates_part(result));
	json_object_set_new(object, "runs", runs_part(result));
	json_object_set_new(object, "series", series);
	if (result->load->server_stats != NULL)
		json_object_set_new(object, "server",
			json_pack("{s:o, s:O?, s:O?}", "source",
				printable_json(result->load->server_stats), "before",
				result->server_before, "after", result->server_after));
	if (result->merged != NULL)
		json_object_update(object, result->merged);
	return object;
}

bool
json_write(const json_t *json, const char *path)
{
	FILE *file = outfile_open(path);
	bool is_written;

	if (file == NULL)
		return false;
	is_written = json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) == 0 &&
		     fputc('\n', file) != EOF;
	return outfile_end(file, path) && is_written;
}
