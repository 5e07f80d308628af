/* What generator processes and the parent share: one segment of memory, mapped before the fork.
 * Each row has one writer, its generator thread; the parent reads rows at any time and writes the
 * head. */
#ifndef HUBBUB_LOAD_SEGMENT_H
#define HUBBUB_LOAD_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "tests/load/count/histogram.h"
#include "tests/load/count/message_fault.h"

#define SEGMENT_ERRNO_MAX 134
#define SEGMENT_TEXT_SIZE 512

enum segment_call { SEGMENT_CONNECT, SEGMENT_READ, SEGMENT_WRITE, SEGMENT_CALL_MAX };
extern const char *const segment_call_names[SEGMENT_CALL_MAX];

/* What is counted. Only uint64_t, so that tallies are added and subtracted as arrays. "In the
 * window": after the warm-up and before the end. */
struct tally {
	/* messages, in the window */
	uint64_t due;      /* by the plan, or, in a closed loop, sent */
	uint64_t received; /* replies that were complete */
	uint64_t bytes_sent;
	uint64_t bytes_received;
	/* messages that were due in the window, and had no reply */
	uint64_t lost;    /* sent, but never answered: the connection broke, or time was up */
	uint64_t unsent;  /* due, but not even sent when all was over */
	uint64_t shed;    /* due while too many were in flight, and dropped */
	uint64_t expired; /* past their deadline before they could be sent */
	/* replies, ever, and all that follows */
	uint64_t checked;
	uint64_t faults[MESSAGE_FAULT_MAX];
	/* connections */
	uint64_t opened; /* of those asked for, at the start */
	uint64_t failed;
	uint64_t reconnects;
	uint64_t alive;     /* now */
	uint64_t alive_end; /* when sending was over */
	uint64_t idle_opened;
	uint64_t idle_failed;
	uint64_t idle_alive; /* answered when probed at the end */
	uint64_t idle_dead;  /* did not */
	uint64_t delayed;    /* reconnects that waited for the connect rate */
	uint64_t timeouts;
	uint64_t ends; /* the server closed, unasked */
	uint64_t errors[SEGMENT_CALL_MAX][SEGMENT_ERRNO_MAX];
	/* now */
	uint64_t in_flight;
	uint64_t in_flight_max;
	/* the generator */
	uint64_t cpu;       /* nanoseconds of the thread */
	uint64_t switches;  /* involuntary, of the thread */
	uint64_t pause_max; /* nanoseconds that the thread did not run at most, in the window */
};

enum row_state { ROW_CONNECTING, ROW_READY, ROW_RUNNING, ROW_DRAINING, ROW_PROBING, ROW_DONE };

struct row {
	_Alignas(64) int state;
	struct tally tally;
	struct histogram response; /* from the intended time */
	struct histogram service;  /* from the actual send */
	struct histogram connect;
	struct histogram
		lag;   /* actual send minus intended time, where only the generator is to blame */
	int64_t ended; /* clock at which the window ended; 0: not yet */
	char offence[SEGMENT_TEXT_SIZE]; /* the first wrong reply; empty if there is none */
	char refusal[SEGMENT_TEXT_SIZE]; /* why a TLS handshake failed first; empty if none did */
	char trouble[SEGMENT_TEXT_SIZE]; /* why the thread could not run; empty if it could */
};

struct segment {
	int64_t start; /* clock; 0: not yet. The parent's. */
	int64_t stop;  /* clock after which no message is due; the parent's */
	unsigned rows;
	struct row row[];
};

/* Maps one. Returns NULL and errno. */
struct segment *segment_new(unsigned rows);

void segment_free(struct segment *segment);

/* A sum of rows, at one moment or between two. */
struct measurement {
	double seconds; /* that it covers, of the window */
	struct tally tally;
	struct histogram response;
	struct histogram service;
	struct histogram connect;
	struct histogram lag;
};

/* Reads all rows. */
void measurement_take(struct measurement *measurement, const struct segment *segment);

/* later minus earlier; what is "now" is later's. */
void measurement_between(struct measurement *between, const struct measurement *later,
	const struct measurement *earlier);

/* Adds one run to another: seconds, counts and histograms. */
void measurement_add(struct measurement *into, const struct measurement *from);

/* Events that went wrong, of all kinds but faults; and wrong replies. */
uint64_t measurement_errors(const struct measurement *measurement);
uint64_t measurement_faults(const struct measurement *measurement);

/* Replies a second, and as a share of what was due (1 if nothing was). */
double measurement_rate(const struct measurement *measurement);
double measurement_ratio(const struct measurement *measurement);

#endif
