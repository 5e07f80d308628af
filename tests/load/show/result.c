/* Accumulates measurements, and judges them at the end. The order of the judgement is the order of
 * trust: wrong bytes outrank all; then an interruption, a run that could not be made, an invalid
 * measurement, a breached gate. An invalid measurement never passes, but a server that died or
 * never answered failed for certain, however it was measured. */
#include "tests/load/show/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hub/base/clock.h"

#define PAUSE_MAX (CLOCK_SECOND / 4)       /* the longest that a generator thread may not run */
#define LAG_IGNORED (CLOCK_SECOND / 20000) /* 50 us: a shorter lag changes no result */
#define OFFERED_MIN 0.99                   /* share of the planned messages that must become due */
/* What to look at for a service that does not echo, or answers nothing. */
#define NO_ECHO                                                                                    \
	"unless it is an echo, say what to send and how a reply ends, such as "                    \
	"--request 'PING\\r\\n' --reply line"
#define NO_ANSWER "; does it speak TLS (--tls), or want a PROXY header (--proxy-header)?"
#define NO_REPLY "do replies end as --reply says, and begin as --expect does?"
#define CPU_BUSY 0.95 /* share of a CPU above which a note says so */

static void
make_id(char id[static RESULT_ID_SIZE])
{
	unsigned char bytes[(RESULT_ID_SIZE - 1) / 2] = {0};

	/* Blocks only while the machine has just started. */
	while (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		continue;
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

struct result *
result_new(const struct load *load)
{
	struct result *result = calloc(1, sizeof *result);

	if (result == NULL)
		return NULL;
	result->load = load;
	make_id(result->id);
	clock_gettime(CLOCK_REALTIME, &result->started);
	result->runs = calloc(load->repeat, sizeof *result->runs);
	if (result->runs == NULL) {
		free(result);
		return NULL;
	}
	return result;
}

void
result_free(struct result *result)
{
	if (result == NULL)
		return;
	json_decref(result->server_before);
	json_decref(result->server_after);
	json_decref(result->merged);
	free(result->runs);
	free(result->series);
	free(result);
}

struct summary
result_summarize(const struct measurement *measurement)
{
	const struct histogram *response = &measurement->response;

	return (struct summary){
		.offered = measurement->seconds > 0
				   ? (double)measurement->tally.due / measurement->seconds
				   : 0,
		.achieved = measurement_rate(measurement),
		.p50 = histogram_percentile(response, 0.5),
		.p99 = histogram_percentile(response, 0.99),
		.p99_9 = histogram_percentile(response, 0.999),
		.max = response->count > 0 ? response->max : -1,
		.errors = measurement_errors(measurement) + measurement_faults(measurement)};
}

void
result_add_interval(struct result *result, const struct interval *interval)
{
	size_t count = result->series_count;

	/* The array doubles whenever the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		struct interval *series =
			realloc(result->series, (count == 0 ? 1 : 2 * count) * sizeof *series);

		if (series == NULL)
			return;
		result->series = series;
	}
	result->series[result->series_count++] = *interval;
}

double
result_cpu(const struct result *result)
{
	double most = 0;

	for (unsigned i = 0; i < result->cpu_count; i++)
		if (result->cpu[i] > most)
			most = result->cpu[i];
	return most;
}

double
result_offered(const struct result *result)
{
	const struct measurement *total = &result->total;
	/* A window with a fraction of a message has one message more if its first one is due at its
	 * beginning. */
	double messages = fmax(result->planned, (double)total->tally.due);

	return total->seconds > 0 ? messages / total->seconds : 0;
}

double
result_achieved(const struct result *result)
{
	double rate = measurement_rate(&result->total);

	return result->load->is_open ? fmin(rate, result_offered(result)) : rate;
}

/* ---- errors in words ---- */

static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	if (used > 0 && used + 2 < size) {
		strcpy(text + used, ", ");
		used += 2;
	}
	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

const char *
result_errors(const struct measurement *measurement, char *text, size_t size)
{
	const struct tally *tally = &measurement->tally;

	*text = '\0';
	for (int call = 0; call < SEGMENT_CALL_MAX; call++)
		for (int error = 0; error < SEGMENT_ERRNO_MAX; error++)
			if (tally->errors[call][error] > 0)
				append(text, size, "%llu x %s: %s",
					(unsigned long long)tally->errors[call][error],
					segment_call_names[call], strerror(error));
	if (tally->ends > 0)
		append(text, size, "%llu x closed by the server", (unsigned long long)tally->ends);
	if (tally->timeouts > 0)
		append(text, size, "%llu x no reply in time", (unsigned long long)tally->timeouts);
	if (tally->refused > 0)
		append(text, size, "%llu x refused by the service",
			(unsigned long long)tally->refused);
	if (tally->expired > 0)
		append(text, size, "%llu x past the deadline", (unsigned long long)tally->expired);
	if (tally->unsent > 0)
		append(text, size, "%llu messages never sent", (unsigned long long)tally->unsent);
	if (tally->idle_dead > 0)
		append(text, size, "%llu idle connections did not answer",
			(unsigned long long)tally->idle_dead);
	if (*text == '\0')
		append(text, size, "none");
	return text;
}

/* ---- the judgement ---- */

void
result_doubt(struct result *result, const char *format, ...)
{
	va_list arguments;

	if (result->doubt_count == RESULT_REASONS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(result->doubts[result->doubt_count++], RESULT_TEXT_SIZE, format, arguments);
	va_end(arguments);
}

static void __attribute__((format(printf, 2, 3)))
doubt(struct result *result, const char *format, ...)
{
	va_list arguments;

	if (result->reason_count == RESULT_REASONS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(result->reasons[result->reason_count++], RESULT_TEXT_SIZE, format, arguments);
	va_end(arguments);
}

static void __attribute__((format(printf, 2, 3)))
note(struct result *result, const char *format, ...)
{
	va_list arguments;

	if (result->note_count == RESULT_REASONS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(result->notes[result->note_count++], RESULT_TEXT_SIZE, format, arguments);
	va_end(arguments);
}

static void
judge_connections(struct result *result)
{
	const struct load *load = result->load;
	const struct tally *tally = &result->total.tally;
	uint64_t asked = (uint64_t)load->connections * result->run_count,
		 idle = (uint64_t)load->idle * result->run_count;

	if (load->allows_partial)
		return;
	if (tally->opened < asked)
		doubt(result, "only %llu of %llu connections opened (--allow-partial accepts that)",
			(unsigned long long)tally->opened, (unsigned long long)asked);
	if (tally->idle_opened < idle)
		doubt(result, "only %llu of %llu idle connections opened",
			(unsigned long long)tally->idle_opened, (unsigned long long)idle);
}

static void
judge_lag(struct result *result)
{
	const struct load *load = result->load;
	const struct measurement *total = &result->total;
	int64_t lag = histogram_quantile(&total->lag, 0.99);
	int64_t response = histogram_quantile(&total->response, 0.99);
	int64_t limit = load->max_lag > 0 ? load->max_lag
					  : (int64_t)((double)response * load->max_lag_share);
	char lag_text[UNITS_TEXT_SIZE], limit_text[UNITS_TEXT_SIZE];

	if (load->max_lag == 0 && limit < LAG_IGNORED)
		limit = LAG_IGNORED;
	if (lag > limit)
		doubt(result,
			"messages went out late: lag p99 %s, more than %s (--max-lag); use --spin, "
			"more --threads, a lower rate, or a machine with nothing else to do",
			units_write_time(lag_text, lag, UNITS_AUTO),
			units_write_time(limit_text, limit, UNITS_AUTO));
	if (result->planned > 0 && (double)total->tally.due < OFFERED_MIN * result->planned - 1)
		doubt(result,
			"only %.1f %% of the planned messages came due in time: the generator is "
			"too slow for this rate",
			100 * (double)total->tally.due / result->planned);
}

/* Whether a generator thread did not run for so long that the measurement misses that time. */
static bool
was_paused(const struct result *result)
{
	int64_t pause = (int64_t)result->total.tally.pause_max;

	return pause > PAUSE_MAX && pause > result->load->max_lag;
}

/* Whether not one message was answered as it should be. */
static bool
is_unanswered(const struct result *result)
{
	return result->total.response.count == 0 && result->total.tally.received == 0;
}

/* What may be wrong if nothing was answered. */
static const char *
question(const struct load *load)
{
	bool is_plain = !load->has_tls && load->targets[0].kind == ADDRESS_TCP;

	if (load->reply.kind != REPLY_ECHO)
		return is_plain ? NO_REPLY " or does it speak TLS (--tls)?" : NO_REPLY;
	if (load->requests->count > 0)
		return "an echo is expected: say with --reply how other replies end";
	return is_plain ? NO_ECHO "; or does it speak TLS (--tls)?" : NO_ECHO;
}

/* Finds failures that are the server's, whatever the generator did. */
static void
judge_server(struct result *result)
{
	const struct load *load = result->load;
	const struct tally *tally = &result->total.tally;

	if (load->connections == 0 || result->signal != 0)
		return;
	if (measurement_faults(&result->total) > 0 && is_unanswered(result))
		snprintf(result->failure, sizeof result->failure, "not one reply was right: %s",
			question(load));
	if (measurement_errors(&result->total) == 0)
		return;
	if (result->deserted > 0)
		snprintf(result->failure, sizeof result->failure,
			"the server died, or closed all its connections: 0 of %u alive at the end"
			"%s, %llu message%s never sent%s",
			load->connections, result->run_count > 1 ? " of a run" : "",
			(unsigned long long)tally->unsent, tally->unsent == 1 ? "" : "s",
			is_unanswered(result) ? NO_ANSWER : "");
	else if (is_unanswered(result) && tally->refused > 0)
		snprintf(result->failure, sizeof result->failure, "every request was refused");
	else if (is_unanswered(result) && measurement_faults(&result->total) == 0 &&
		 !was_paused(result))
		snprintf(result->failure, sizeof result->failure, "nothing was answered: %s",
			question(load));
}

static void
judge_generator(struct result *result)
{
	const struct measurement *total = &result->total;
	char text[UNITS_TEXT_SIZE];

	if (was_paused(result))
		doubt(result, "the generator did not run for %s",
			units_write_time(text, (int64_t)total->tally.pause_max, UNITS_AUTO));
	if (result->load->is_open)
		judge_lag(result);
	else if (result_cpu(result) > CPU_BUSY)
		note(result,
			"a generator thread used %.0f %% of its CPU: the rate may be limited by "
			"it, not by the server; try more --threads",
			100 * result_cpu(result));
	if (total->response.count == 0 && result->signal == 0 && result->load->connections > 0)
		doubt(result, "no message was answered after the warm-up");
}

static void
note_method(struct result *result)
{
	const struct measurement *total = &result->total;
	int64_t response = histogram_quantile(&total->response, 0.99),
		service = histogram_quantile(&total->service, 0.99);
	char rate[UNITS_TEXT_SIZE], reached[UNITS_TEXT_SIZE];

	if (!result->load->is_open && total->response.count > 0)
		note(result,
			"closed loop: stalls are under-counted; for honest latency run with -R %s "
			"(80 %% of the %s/s reached)",
			units_write_count(rate, 0.8 * measurement_rate(total)),
			units_write_count(reached, measurement_rate(total)));
	if (result->load->is_open && service >= 0 &&
		(double)response > 1.1 * (double)service + (double)LAG_IGNORED)
		note(result, "response is slower than service: %s",
			2 * histogram_quantile(&total->lag, 0.99) > response - service
				? "the generator sent late, see lag"
			: total->tally.reconnects > 0
				? "messages waited for earlier ones, or for a new connection"
				: "messages waited for earlier ones before they could be sent");
	if (result->load->churn >= 0 && result->load->close != LOAD_CLOSE_RST &&
		result->load->source_count == 0)
		note(result, "closed connections keep their ports for a minute, and finding a free "
			     "port takes time: use --close=rst, or more --source addresses");
	if (result->load->is_open && total->tally.received > total->tally.due)
		note(result, "replies to messages of the warm-up came after it, and are not in the "
			     "achieved rate");
	if (total->tally.delayed > 0)
		note(result, "%llu reconnects waited for --connect-rate, and so did their messages",
			(unsigned long long)total->tally.delayed);
	if (result->load->server_stats != NULL && result->server_after == NULL)
		note(result, "%s did not answer with the server's counters",
			result->load->server_stats);
	if (result->refusal[0] != '\0')
		note(result, "%s", result->refusal);
	if (total->tally.agreed[0] > 0)
		note(result, "%llu TLS handshakes agreed on none of --alpn=%.256s",
			(unsigned long long)total->tally.agreed[0], result->load->alpn_text);
	if (result->load->interval == 0)
		note(result, "no intervals: those of the parts have other lengths (--interval)");
	if (result->load->verify == MESSAGE_NONE)
		note(result, "not verified: replies were only counted");
}

static void
judge_gates(struct result *result)
{
	const struct load *load = result->load;

	for (unsigned i = 0; i < load->fail_if_count; i++) {
		struct gate_result *gate = &result->gates[result->gate_count++];

		gate->gate = &load->fail_if[i];
		gate->is_ok = !gate_holds(gate->gate, &result->total, &gate->value, &gate->is_time);
		if (!gate->is_ok)
			result->code = LOAD_BREACHED;
	}
	result->has_errors = !load->allows_errors && measurement_errors(&result->total) > 0;
	if (result->has_errors || result->aborted[0] != '\0')
		result->code = LOAD_BREACHED;
}

void
result_judge(struct result *result)
{
	result->reason_count = result->note_count = result->gate_count = 0;
	result->code = LOAD_DONE;
	result->failure[0] = '\0';
	for (unsigned i = 0; i < result->doubt_count; i++)
		doubt(result, "%s", result->doubts[i]);
	if (result->trouble[0] == '\0') {
		judge_server(result);
		judge_connections(result);
		judge_generator(result);
		note_method(result);
	}
	if (result->signal == 0)
		judge_gates(result);
	/* A failure of the server is certain, however well it was measured. */
	if (result->reason_count > 0 && (result->failure[0] == '\0' || !result->has_errors))
		result->code = LOAD_INVALID;
	if (result->trouble[0] != '\0')
		result->code = LOAD_FAILED;
	if (result->signal != 0)
		result->code = (enum load_exit)(LOAD_SIGNALLED + result->signal);
	if (measurement_faults(&result->total) > 0)
		result->code = LOAD_CORRUPT;
}

const char *
result_verdict(const struct result *result)
{
	switch (result->code) {
	case LOAD_DONE:
		return "pass";
	case LOAD_FAILED:
		return "error";
	case LOAD_BREACHED:
		return "fail";
	case LOAD_INVALID:
		return "invalid";
	case LOAD_CORRUPT:
		return "corrupt";
	default:
		return "interrupted";
	}
}
