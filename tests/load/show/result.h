/* The result of a load: measurements, the series over time, and the judgement on them. */
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
#define RESULT_ID_SIZE 33

/* A measurement in a few numbers. Times are response times in nanoseconds; -1 if no reply came. */
struct summary {
	double offered;  /* messages due per second */
	double achieved; /* replies per second */
	int64_t p50;
	int64_t p99;
	int64_t p99_9;
	int64_t max;
	uint64_t errors; /* errors and wrong replies */
};

/* One interval of one run. */
struct interval {
	unsigned run; /* counted from 0 */
	double t;     /* seconds from the beginning of the window to the interval's end */
	struct summary summary;
	int64_t lag_p99;    /* nanoseconds; -1: none */
	uint64_t open;      /* connections at its end */
	uint64_t in_flight; /* messages at its end */
};

/* One of several runs of the same load. */
struct run {
	int64_t began;  /* when its window began: wall clock, microseconds since 1970 */
	double seconds; /* of the window */
	struct summary summary;
};

struct gate_result {
	const struct gate *gate;
	double value; /* nanoseconds if is_time; -1: the measurement has none */
	bool is_time;
	bool is_ok; /* the gate was not breached */
};

struct result {
	const struct load *load;
	char id[RESULT_ID_SIZE];  /* random: tells two results apart */
	struct timespec started;  /* wall clock */
	struct measurement total; /* sum of all runs */
	struct run *runs;
	unsigned run_count;
	unsigned deserted; /* runs that opened connections, of which none was alive at the end */
	struct interval *series;
	size_t series_count;
	/* Share of a CPU that each generator thread used: the highest of all runs. */
	double cpu[LOAD_THREADS_MAX];
	unsigned cpu_count;
	/* Messages that the plan has for the windows of all runs; 0: not known. */
	double planned;
	json_t *server_before; /* the server's /stats.json; NULL: not asked for, or no answer */
	json_t *server_after;
	int signal;                      /* the signal that ended the load; 0: none */
	char trouble[SEGMENT_TEXT_SIZE]; /* why the load could not run; empty if it could */
	char offence[SEGMENT_TEXT_SIZE]; /* the first wrong reply; empty: none */
	char refusal[SEGMENT_TEXT_SIZE]; /* the first one, as rows have it; empty: none */
	char aborted[RESULT_TEXT_SIZE];  /* the --abort-if that ended the load; empty: none */
	/* Why the measurement is invalid, if that was known before the judgement. */
	char doubts[RESULT_REASONS_MAX][RESULT_TEXT_SIZE];
	unsigned doubt_count;
	/* Of a result that was merged of others: the parts of its JSON that they tell, and not this
	 * machine or the load. NULL: it is of one load. */
	json_t *merged;
	/* the judgement, by result_judge */
	char failure[RESULT_TEXT_SIZE];                     /* the server's failure; empty: none */
	char reasons[RESULT_REASONS_MAX][RESULT_TEXT_SIZE]; /* why the measurement is invalid */
	unsigned reason_count;
	char notes[RESULT_REASONS_MAX][RESULT_TEXT_SIZE]; /* what the reader should know besides */
	unsigned note_count;
	struct gate_result gates[LOAD_GATES_MAX];
	unsigned gate_count;
	bool has_errors; /* there were errors, and --allow-errors was not given */
	enum load_exit code;
};

/* Makes an empty result, which borrows load. Returns NULL if there is no memory. */
struct result *result_new(const struct load *load);

void result_free(struct result *result);

/* Reduces a measurement to its summary. */
struct summary result_summarize(const struct measurement *measurement);

/* Appends an interval to the series. If there is no memory, the interval is left out. */
void result_add_interval(struct result *result, const struct interval *interval);

/* Notes before the judgement why the measurement is invalid. */
void result_doubt(struct result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Judges the result: whether it is valid, whether its gates hold, notes, and the exit code. May be
 * called again after a change. */
void result_judge(struct result *result);

/* "pass", "fail", "invalid", "corrupt", "interrupted" or "error". */
const char *result_verdict(const struct result *result);

/* Errors by kind, for people: "12 x connect: Connection refused, 3 timeouts". Returns text. */
const char *result_errors(const struct measurement *measurement, char *text, size_t size);

/* The greatest of cpu: the load of the busiest generator thread, as a share of a CPU. */
double result_cpu(const struct result *result);

/* The messages per second that were due; and those that were answered, in an open loop at most as
 * many as were due. */
double result_offered(const struct result *result);
double result_achieved(const struct result *result);

#endif
