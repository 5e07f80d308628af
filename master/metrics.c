#include "master/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "hub/base/clock.h"
#include "master/master.h"
#include "master/permits.h"
#include "master/ready.h"
#include "master/status.h"

static double
seconds(int64_t nanoseconds)
{
	return (double)nanoseconds / (double)CLOCK_SECOND;
}

/* Every worker and hub that ever was, and what it has counted. */
struct hub_sums {
	struct worker_row *rows;
	unsigned count;
};

static bool
is_known(const struct hub_sums *sums, const struct worker_row *row)
{
	for (unsigned i = 0; i < sums->count; i++)
		if (sums->rows[i].worker == row->worker && sums->rows[i].index == row->index)
			return true;
	return false;
}

static struct hub_sums
collect(const struct counters *counters)
{
	/* Another master may claim more meanwhile. */
	uint32_t used = __atomic_load_n(&counters->used, __ATOMIC_RELAXED);
	struct hub_sums sums = {.rows = malloc((used + 1) * sizeof *sums.rows)};

	for (uint32_t i = 0; sums.rows != NULL && i < used; i++) {
		const struct worker_row *row = &counters->rows[i];

		if (row->state == ROW_FREE || is_known(&sums, row))
			continue;
		if (counters_sum(counters, row->worker, row->index, &sums.rows[sums.count]))
			sums.count++;
	}
	return sums;
}

static void
write_head(FILE *stream, const char *name, const char *type, const char *help)
{
	fprintf(stream, "# HELP hubbub_%s %s\n# TYPE hubbub_%s %s\n", name, help, name, type);
}

static void
write_one(FILE *stream, const char *name, const char *type, const char *help, double value)
{
	write_head(stream, name, type, help);
	fprintf(stream, "hubbub_%s %.15g\n", name, value);
}

typedef double value_fn(const struct worker_row *row);

static double
value_open(const struct worker_row *row)
{
	return (double)counters_open(row);
}

static double
value_accepted(const struct worker_row *row)
{
	return (double)row->accepted;
}

static double
value_opened(const struct worker_row *row)
{
	return (double)row->opened;
}

static double
value_closed(const struct worker_row *row)
{
	return (double)row->closed;
}

static double
value_handed(const struct worker_row *row)
{
	return (double)row->handed;
}

static double
value_received(const struct worker_row *row)
{
	return (double)row->hub.bytes_received;
}

static double
value_sent(const struct worker_row *row)
{
	return (double)row->hub.bytes_sent;
}

static double
value_busy(const struct worker_row *row)
{
	return seconds((int64_t)row->hub.busy);
}

static double
value_polls(const struct worker_row *row)
{
	return (double)row->hub.polls;
}

static double
value_lag(const struct worker_row *row)
{
	return seconds(row->lag);
}

static double
value_late(const struct worker_row *row)
{
	return (double)row->late;
}

static double
value_datagrams(const struct worker_row *row)
{
	return (double)row->datagrams;
}

static double
value_replies(const struct worker_row *row)
{
	return (double)row->replies;
}

static double
value_replies_failed(const struct worker_row *row)
{
	return (double)row->replies_failed;
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	value_fn *value;
} hub_metrics[] = {
	{"connections", "gauge", "Connections that are open.", value_open},
	{"accepts_total", "counter", "Connections accepted from the hub's listeners.",
		value_accepted},
	{"connections_opened_total", "counter", "Connections that the hub began to serve.",
		value_opened},
	{"connections_closed_total", "counter", "Connections that have ended.", value_closed},
	{"handed_total", "counter", "Accepted connections that another hub of the worker serves.",
		value_handed},
	{"received_bytes_total", "counter", "Bytes received.", value_received},
	{"sent_bytes_total", "counter", "Bytes sent.", value_sent},
	{"busy_seconds_total", "counter", "Time in which the hub did not wait.", value_busy},
	{"loop_polls_total", "counter", "Times that the hub looked for events.", value_polls},
	{"loop_lag_seconds", "gauge", "How late the hub's pulse has been lately, at most.",
		value_lag},
	{"late_total", "counter", "Times that the hub did not switch for 100 ms.", value_late},
	{"datagrams_total", "counter", "Datagrams received.", value_datagrams},
	{"replies_total", "counter", "Datagrams sent in answer.", value_replies},
	{"replies_failed_total", "counter", "Answers to datagrams that could not be sent.",
		value_replies_failed},
};

static void
write_hub_metrics(FILE *stream, const struct hub_sums *sums)
{
	for (size_t i = 0; i < sizeof hub_metrics / sizeof hub_metrics[0]; i++) {
		write_head(stream, hub_metrics[i].name, hub_metrics[i].type, hub_metrics[i].help);
		for (unsigned hub = 0; hub < sums->count; hub++)
			fprintf(stream, "hubbub_%s{worker=\"%u\",hub=\"%u\"} %.15g\n",
				hub_metrics[i].name, sums->rows[hub].worker, sums->rows[hub].index,
				hub_metrics[i].value(&sums->rows[hub]));
	}
}

static void
write_kind(FILE *stream, const char *name, const struct worker_row *row, const char *kind,
	uint64_t value)
{
	fprintf(stream, "hubbub_%s{worker=\"%u\",hub=\"%u\",kind=\"%s\"} %lu\n", name, row->worker,
		row->index, kind, (unsigned long)value);
}

static void
write_kinds(FILE *stream, const struct hub_sums *sums)
{
	write_head(stream, "accept_errors_total", "counter",
		"Accepts that failed: for lack of files, buffers or memory, or because the client "
		"had gone.");
	for (unsigned i = 0; i < sums->count; i++) {
		const struct worker_row *row = &sums->rows[i];

		write_kind(stream, "accept_errors_total", row, "limit",
			row->accept_errors[ACCEPT_ERROR_LIMIT]);
		write_kind(stream, "accept_errors_total", row, "aborted",
			row->accept_errors[ACCEPT_ERROR_ABORTED]);
	}
	write_head(stream, "refused_total", "counter",
		"Connections not served: their sender may not send a PROXY header, that was wrong "
		"or "
		"late, or so was the TLS handshake.");
	for (unsigned i = 0; i < sums->count; i++) {
		const struct worker_row *row = &sums->rows[i];

		write_kind(stream, "refused_total", row, "sender", row->refused[REFUSAL_SENDER]);
		write_kind(stream, "refused_total", row, "header", row->refused[REFUSAL_HEADER]);
		write_kind(stream, "refused_total", row, "tls", row->refused[REFUSAL_TLS]);
	}
	write_head(stream, "timeouts_total", "counter",
		"Connections closed by the idle and the write timeout.");
	for (unsigned i = 0; i < sums->count; i++) {
		write_kind(stream, "timeouts_total", &sums->rows[i], "idle",
			sums->rows[i].idle_closed);
		write_kind(stream, "timeouts_total", &sums->rows[i], "write",
			sums->rows[i].write_closed);
	}
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
	return (double)__atomic_load_n(&occupant_row(occupant)->permits, __ATOMIC_RELAXED);
}

static const struct seat_metric {
	const char *name;
	const char *help;
	double (*value)(const struct occupant *occupant);
} seat_metrics[] = {
	{"busy_ratio", "Share of the time in which the hub did not wait, lately.",
		value_busy_ratio},
	{"accept_queue", "Connections that wait to be accepted.", value_queue},
	{"steering_weight", "Share of new connections, relative to that of other hubs.",
		value_weight},
	{"permits", "Connections that the hub may still open before the master moves more.",
		value_permits},
};

struct seat_line {
	FILE *stream;
	const struct seat_metric *metric;
};

static void
write_seat(const struct occupant *occupant, void *context)
{
	const struct seat_line *line = context;

	fprintf(line->stream, "hubbub_%s{worker=\"%u\",hub=\"%u\"} %.15g\n", line->metric->name,
		occupant->slot->index, occupant->hub, line->metric->value(occupant));
}

/* What is measured now. */
static void
write_seats(FILE *stream, const struct fleet *fleet)
{
	for (size_t i = 0; i < sizeof seat_metrics / sizeof seat_metrics[0]; i++) {
		struct seat_line line = {stream, &seat_metrics[i]};

		write_head(stream, line.metric->name, "gauge", line.metric->help);
		roster_each_sitting(fleet, write_seat, &line);
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

static void
write_server(FILE *stream, const struct master *master)
{
	const struct fleet *fleet = &master->fleet;
	const struct generation *serving = fleet->serving;
	const struct counters *counters = master->counters;

	write_head(stream, "build_info", "gauge", "1, with what runs.");
	fprintf(stream, "hubbub_build_info{service=\"%s\",version=\"%s\",hubbub=\"%s\"} 1\n",
		master->service->name, master->service->version, HUBBUB_VERSION);
	write_one(stream, "ready", "gauge",
		"1 if the server accepts connections and is not stopping.", ready_is(master));
	write_one(stream, "start_time_seconds", "gauge",
		"When this master started, in seconds since the epoch.", (double)master->started);
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
	write_one(stream, "respawns_total", "counter", "Workers that were replaced.",
		(double)counters->respawns);
	write_one(stream, "connections_lost_total", "counter",
		"Connections that died with their worker.", (double)counters->lost);
	write_one(stream, "hangs_total", "counter", "Hubs that gave no sign of life.",
		(double)counters->hangs);
	write_one(stream, "reloads_total", "counter", "Generations that took over by a reload.",
		(double)counters->reloads);
	write_one(stream, "upgrades_total", "counter", "Masters that took over by an upgrade.",
		(double)counters->upgrades);
}

char *
metrics_text(const struct master *master, size_t *length)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, length);
	struct hub_sums sums;

	if (stream == NULL)
		return NULL;
	sums = collect(master->counters);
	write_server(stream, master);
	write_hub_metrics(stream, &sums);
	write_kinds(stream, &sums);
	write_seats(stream, &master->fleet);
	write_workers(stream, &master->fleet);
	free(sums.rows);
	fclose(stream);
	return text;
}
