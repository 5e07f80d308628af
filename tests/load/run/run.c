/* The parent's side of a run. It polls: every 2 ms it looks at the states of the threads, reaps,
 * and samples the segment when an interval or a frame is due. It steers by two words of the
 * segment, start and stop, and touches no connection itself. After a signal or the death of a
 * generator process the run is concluded with what was measured. */
#include "tests/load/run/run.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/load/ask/moment.h"
#include "tests/load/ask/target.h"
#include "tests/load/drive/message.h"
#include "tests/load/run/processes.h"
#include "tests/load/run/server_stats.h"
#include "tests/load/run/start_at.h"

#define FRAME (CLOCK_SECOND / 5)             /* between two frames of the display */
#define POLL (2 * CLOCK_MILLISECOND)         /* between two looks at the segment */
#define START_DELAY (20 * CLOCK_MILLISECOND) /* for every thread to see it coming */
#define STOP_MAX (5 * CLOCK_SECOND)          /* for an interrupted run to end */
#define ABORT_AFTER 3                        /* intervals in a row in which --abort-if must hold */

/* ---- signals ---- */

static volatile sig_atomic_t signalled;

static void
on_signal(int signal)
{
	static const char goodbye[] = "\nhubbub-load: ended at once by a second signal\n";

	if (signalled != 0) {
		if (write(STDERR_FILENO, goodbye, sizeof goodbye - 1) < 0)
			_exit(LOAD_SIGNALLED + signal);
		_exit(LOAD_SIGNALLED + signal);
	}
	signalled = signal;
}

void
run_handle_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool
is_signalled(void)
{
	return signalled != 0;
}

static void
nap(int64_t nanoseconds)
{
	struct timespec length = {nanoseconds / CLOCK_SECOND, nanoseconds % CLOCK_SECOND};

	nanosleep(&length, NULL);
}

/* ---- one run ---- */

/* One run, from the fork to the conclusion; the buffers are used again by the next run. */
struct session {
	struct processes processes;
	struct result *result;
	const struct watcher *watcher;
	struct measurement *now;
	struct measurement *last;   /* the measurement at the end of the last interval */
	struct measurement *recent; /* now minus last, as far as it is sampled */
	struct progress progress;
	/* CPU time of each thread when the window began, nanoseconds. */
	uint64_t cpu_before[LOAD_THREADS_MAX];
	int64_t begin;   /* clock when the window begins; 0: the run has not started */
	int64_t stopped; /* clock when sending was over */
	/* For each --abort-if: in how many last intervals in a row it held. */
	unsigned to_abort[LOAD_GATES_MAX];
};

#define TELL(session, what)                                                                        \
	do {                                                                                       \
		if ((session)->watcher != NULL && (session)->watcher->what != NULL)                \
			(session)->watcher->what(                                                  \
				&(session)->progress, (session)->watcher->context);                \
	} while (0)

static void
sample(struct session *session, int64_t clock)
{
	measurement_take(session->now, session->processes.segment);
	session->now->seconds = clock > session->begin && session->begin != 0
					? (double)(clock - session->begin) / 1e9
					: 0;
	session->progress.whole = session->now;
	measurement_between(session->recent, session->now, session->last);
	session->progress.elapsed =
		session->begin != 0 ? (double)(clock - session->begin) / 1e9 : 0;
}

static void
stop_run(struct session *session)
{
	__atomic_store_n(&session->processes.segment->stop, clock_now(), __ATOMIC_RELAXED);
}

/* Whether the run is to end early, because a signal came or a generator process died. */
static bool
is_cut_short(struct session *session)
{
	struct result *result = session->result;

	if (!processes_reap(&session->processes) && result->trouble[0] == '\0')
		snprintf(result->trouble, sizeof result->trouble,
			"a generator process died in the middle of the run");
	if (signalled != 0)
		result->signal = signalled;
	return result->signal != 0 || result->trouble[0] != '\0';
}

/* A hint at what may be wrong with a server that refused every connection; empty if there is
 * none. */
static const char *
hint(const struct tally *tally)
{
	for (int error = 0; error < SEGMENT_ERRNO_MAX; error++)
		if (tally->errors[SEGMENT_CONNECT][error] > 0 && target_hint(error)[0] != '\0')
			return target_hint(error);
	return "";
}

/* Waits until every connection is open or given up. Returns false if there is nothing to run. */
static bool
connect_all(struct session *session)
{
	struct result *result = session->result;
	const struct tally *tally = &session->now->tally;
	int64_t told = clock_now();

	while (processes_state(&session->processes) < ROW_READY && !is_cut_short(session)) {
		nap(POLL);
		if (clock_now() - told < FRAME / 2)
			continue;
		told = clock_now();
		sample(session, told);
		TELL(session, connecting);
	}
	sample(session, clock_now());
	if (result->signal != 0 || result->trouble[0] != '\0')
		return false;
	for (unsigned i = 0; i < session->processes.segment->rows; i++)
		if (session->processes.segment->row[i].trouble[0] != '\0') {
			snprintf(result->trouble, sizeof result->trouble, "%s",
				session->processes.segment->row[i].trouble);
			return false;
		}
	if (tally->opened == 0 && tally->idle_opened == 0) {
		char errors[RESULT_TEXT_SIZE];

		const char *refusal = session->processes.segment->row[0].refusal;

		snprintf(result->trouble, sizeof result->trouble,
			"no connection to %s could be opened: %s%s%s%.160s",
			result->load->target_text[0],
			result_errors(session->now, errors, sizeof errors), hint(tally),
			refusal[0] != '\0' ? "; " : "", refusal);
		return false;
	}
	return true;
}

static bool
is_to_abort(struct session *session)
{
	struct result *result = session->result;

	for (unsigned i = 0; i < result->load->abort_if_count; i++) {
		double value;
		bool is_time;

		if (!gate_holds(&result->load->abort_if[i], session->recent, &value, &is_time))
			session->to_abort[i] = 0;
		else if (++session->to_abort[i] == ABORT_AFTER) {
			snprintf(result->aborted, sizeof result->aborted, "%s",
				result->load->abort_if[i].text);
			return true;
		}
	}
	return false;
}

static void
end_interval(struct session *session)
{
	const struct measurement *recent = session->recent;
	struct interval interval = {.run = session->progress.run,
		.t = session->now->seconds,
		.summary = result_summarize(recent),
		.lag_p99 = histogram_quantile(&recent->lag, 0.99),
		.open = recent->tally.alive,
		.in_flight = recent->tally.in_flight};
	struct measurement *last = session->last;

	result_add_interval(session->result, &interval);
	if (session->watcher != NULL && session->watcher->interval != NULL)
		session->watcher->interval(
			&interval, &session->progress, session->watcher->context);
	session->last = session->now;
	session->now = last;
}

static void
note_cpu(struct session *session, double seconds)
{
	struct result *result = session->result;

	result->cpu_count = session->processes.segment->rows < LOAD_THREADS_MAX
				    ? session->processes.segment->rows
				    : LOAD_THREADS_MAX;
	for (unsigned i = 0; i < result->cpu_count; i++) {
		uint64_t used =
			session->processes.segment->row[i].tally.cpu - session->cpu_before[i];

		if (seconds > 0)
			result->cpu[i] = fmax(result->cpu[i], (double)used / 1e9 / seconds);
	}
}

static void
load_all(struct session *session)
{
	const struct load *load = session->result->load;
	struct segment *segment = session->processes.segment;
	int64_t start = clock_now() + START_DELAY, next, frame = 0, now;
	bool has_begun = false;

	/* Only the first of several runs has a time. */
	if (session->progress.run == 0)
		start = start_at_clock(load, start);
	session->begin = start + load->warmup;
	next = session->begin + load->interval;
	session->progress.total = load->duration == LOAD_NEVER ? 0 : (double)load->duration / 1e9;
	__atomic_store_n(&segment->start, start, __ATOMIC_RELEASE);
	TELL(session, started);
	while (processes_state(&session->processes) < ROW_DRAINING && !is_cut_short(session)) {
		nap(POLL);
		now = clock_now();
		if (!has_begun && now >= session->begin) {
			has_begun = true;
			for (unsigned i = 0; i < segment->rows && i < LOAD_THREADS_MAX; i++)
				session->cpu_before[i] = segment->row[i].tally.cpu;
		}
		if (now >= next) {
			next += load->interval;
			if (next <= now)
				next = now + load->interval;
			sample(session, now);
			if (is_to_abort(session)) {
				end_interval(session);
				break;
			}
			end_interval(session);
		} else if (now - frame >= FRAME && session->watcher != NULL &&
			   session->watcher->frame != NULL) {
			frame = now;
			sample(session, now);
			TELL(session, frame);
		}
	}
	session->stopped = clock_now();
	note_cpu(session, (double)(session->stopped - session->begin) / 1e9);
	if (processes_state(&session->processes) < ROW_DRAINING)
		stop_run(session);
}

/* Waits for the replies on their way, the probes of idle connections, and the ends of the
 * processes. */
static void
drain_all(struct session *session)
{
	while (session->processes.living > 0 && session->result->trouble[0] == '\0') {
		nap(POLL);
		if (is_cut_short(session) && session->processes.segment->stop == INT64_MAX)
			stop_run(session);
		/* A generator process that is stopped (SIGSTOP) does not react: give up on it. */
		if (session->result->signal != 0 &&
			clock_now() - session->processes.segment->stop > STOP_MAX)
			break;
	}
	processes_kill(&session->processes);
}

/* When the window began, or would have begun by now, by the wall clock: microseconds. */
static int64_t
began(const struct session *session)
{
	int64_t now = clock_now(), begin = session->begin != 0 ? session->begin : now;

	return (moment_now() - (now - begin)) / 1000;
}

static void
conclude(struct session *session)
{
	struct result *result = session->result;
	struct segment *segment = session->processes.segment;
	const struct load *load = result->load;
	int64_t ended = session->begin;
	struct summary summary;

	for (unsigned i = 0; i < segment->rows; i++) {
		if (segment->row[i].ended > ended)
			ended = segment->row[i].ended;
		if (result->offence[0] == '\0')
			memcpy(result->offence, segment->row[i].offence, SEGMENT_TEXT_SIZE);
		if (result->refusal[0] == '\0')
			memcpy(result->refusal, segment->row[i].refusal, SEGMENT_TEXT_SIZE);
		if (result->trouble[0] == '\0')
			memcpy(result->trouble, segment->row[i].trouble, SEGMENT_TEXT_SIZE);
	}
	/* The rows of a process that died have no end. */
	if (result->trouble[0] != '\0' && session->stopped > ended)
		ended = session->stopped;
	sample(session, ended);
	/* The rest of an interval counts as one, if it is long enough to tell something. */
	if (session->begin != 0 &&
		session->now->seconds - session->last->seconds > (double)load->interval / 4e9) {
		end_interval(session);
		sample(session, ended);
	}
	result->deserted += session->now->tally.opened > 0 && session->now->tally.alive_end == 0;
	if (load->is_open && load->arrivals != PLAN_POISSON)
		result->planned +=
			plan_due(&load->rate, load->rate.warmup + session->now->seconds) -
			plan_due(&load->rate, load->rate.warmup);
	summary = result_summarize(session->now);
	/* Replies to messages of the warm-up are no part of the offered load. */
	if (load->is_open)
		summary.achieved = fmin(summary.achieved, summary.offered);
	result->runs[result->run_count++] = (struct run){
		.began = began(session), .seconds = session->now->seconds, .summary = summary};
	measurement_add(&result->total, session->now);
}

static void
run_once(struct session *session)
{
	struct result *result = session->result;

	session->begin = session->stopped = 0;
	memset(&session->processes, 0, sizeof session->processes);
	memset(session->last, 0, sizeof *session->last);
	memset(session->to_abort, 0, sizeof session->to_abort);
	session->progress = (struct progress){.load = result->load,
		.run = result->run_count,
		.whole = session->now,
		.recent = session->recent};
	session->processes.load = result->load;
	session->processes.segment = segment_new(result->load->processes * result->load->threads);
	if (session->processes.segment == NULL) {
		snprintf(result->trouble, sizeof result->trouble, "no memory for the counters: %s",
			strerror(errno));
		return;
	}
	if (processes_start(&session->processes, result->trouble, sizeof result->trouble) &&
		connect_all(session))
		load_all(session);
	else
		stop_run(session);
	drain_all(session);
	conclude(session);
	segment_free(session->processes.segment);
}

struct result *
run_load(const struct load *load, const struct watcher *watcher)
{
	struct session *session = calloc(1, sizeof *session);
	struct result *result = result_new(load);

	message_setup(load->seed, load->framing, load->verify, load->requests);
	if (session != NULL && result != NULL) {
		session->result = result;
		session->watcher = watcher;
		session->now = calloc(1, sizeof *session->now);
		session->last = calloc(1, sizeof *session->last);
		session->recent = calloc(1, sizeof *session->recent);
	}
	if (session == NULL || result == NULL || session->now == NULL || session->last == NULL ||
		session->recent == NULL) {
		result_free(result);
		result = NULL;
	}
	if (result != NULL)
		start_at_wait(load, is_signalled);
	if (result != NULL && load->server_stats != NULL)
		result->server_before = server_stats(load->server_stats);
	for (unsigned i = 0; result != NULL && i < load->repeat; i++) {
		if (i > 0)
			nap(load->cooldown);
		result->signal = signalled;
		if (result->signal != 0)
			break;
		run_once(session);
		if (result->signal != 0 || result->trouble[0] != '\0' || result->aborted[0] != '\0')
			break;
	}
	if (result != NULL && load->server_stats != NULL)
		result->server_after = server_stats(load->server_stats);
	if (result != NULL)
		result_judge(result);
	if (session != NULL) {
		free(session->now);
		free(session->last);
		free(session->recent);
		free(session);
	}
	return result;
}
