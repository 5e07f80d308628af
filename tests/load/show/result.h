/* What came out of a load: measurements, the series over time, and the judgement on them. */
#ifndef HUBBUB_LOAD_RESULT_H
#define HUBBUB_LOAD_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "tests/load/ask/load.h"
#include "tests/load/count/segment.h"

#define RESULT_REASONS_MAX 8
#define RESULT_TEXT_SIZE 256

/* A measurement in a few numbers. Times are of response, in nanoseconds; -1 where nothing came
 * back. */
struct summary {
	double offered;
	double achieved;
	int64_t p50;
	int64_t p99;
	int64_t p99_9;
	int64_t max;
	uint64_t errors; /* and faults */
};

/* One interval of one run. */
struct interval {
	unsigned run;
	double t; /* seconds from the beginning of the window to the interval's end */
	struct summary summary;
	int64_t lag_p99;
	uint64_t open;
	uint64_t in_flight;
};

/* One of several runs of the same load. */
struct run {
	double seconds;
	struct summary summary;
};

struct gate_result {
	const struct gate *gate;
	double value; /* -1: there was none */
	bool is_time;
	bool is_ok;
};

struct result {
	const struct load *load;
	struct timespec started;  /* on the wall clock */
	struct measurement total; /* of all runs */
	struct run *runs;
	unsigned run_count;
	unsigned
		deserted; /* runs at whose end no connection was alive, of those that were opened */
	struct interval *series;
	size_t series_count;
	double cpu[LOAD_THREADS_MAX]; /* share of one CPU that each generator thread used */
	unsigned cpu_count;
	double planned;        /* messages that the plan had for the windows; 0: it does not say */
	json_t *server_before; /* the server's own state; NULL if not asked for */
	json_t *server_after;
	int signal;                      /* that ended it; 0 if none */
	char trouble[SEGMENT_TEXT_SIZE]; /* why it could not run; empty if it could */
	char offence[SEGMENT_TEXT_SIZE];
	char refusal[SEGMENT_TEXT_SIZE];
	char aborted[RESULT_TEXT_SIZE]; /* the condition that ended it; empty if none did */
	/* the judgement */
	char failure[RESULT_TEXT_SIZE]; /* what the server did not do; empty if it did all */
	char reasons[RESULT_REASONS_MAX][RESULT_TEXT_SIZE]; /* why it is invalid */
	unsigned reason_count;
	char notes[RESULT_REASONS_MAX][RESULT_TEXT_SIZE]; /* what the reader should know */
	unsigned note_count;
	struct gate_result gates[LOAD_GATES_MAX];
	unsigned gate_count;
	bool has_errors; /* and may not */
	enum load_exit code;
};

/* Makes an empty one; it borrows load. Returns NULL if there is no memory. */
struct result *result_new(const struct load *load);

void result_free(struct result *result);

struct summary result_summarize(const struct measurement *measurement);

/* Appends. Without memory for it the interval is left out. */
void result_add_interval(struct result *result, const struct interval *interval);

/* Decides whether the result is valid, whether the gates hold, and the exit code. */
void result_judge(struct result *result);

/* "pass", "fail", "invalid", "corrupt", "interrupted" or "error". */
const char *result_verdict(const struct result *result);

/* Errors by kind, for people: "12 x connect: Connection refused, 3 timeouts". Returns text. */
const char *result_errors(const struct measurement *measurement, char *text, size_t size);

/* The longest a generator thread was busy: the greatest of cpu. */
double result_cpu(const struct result *result);

/* Messages a second that were to come; and that were answered, in an open loop of those. */
double result_offered(const struct result *result);
double result_achieved(const struct result *result);

#endif
