/* What generator processes and their parent share: one segment of memory, mapped before the fork.
 * Each row has one writer, its generator thread; the parent may read rows at any time, and alone
 * writes the head. */
#ifndef HUBBUB_LOAD_SEGMENT_H
#define HUBBUB_LOAD_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "tests/load/count/histogram.h"
#include "tests/load/count/message_fault.h"

#define SEGMENT_PROTOCOLS_MAX 9 /* of --alpn, and none */
#define SEGMENT_ERRNO_MAX 134   /* above every errno of Linux */
#define SEGMENT_TEXT_SIZE 512

enum segment_call { SEGMENT_CONNECT, SEGMENT_READ, SEGMENT_WRITE, SEGMENT_CALL_MAX };
extern const char *const segment_call_names[SEGMENT_CALL_MAX];

/* What is counted. Only uint64_t fields, so that tallies are added and subtracted as arrays. "The
 * window" is the time after the warm-up and before the end. */
struct tally {
	/* messages, in the window */
	uint64_t due;      /* by the plan; in a closed loop, when sent */
	uint64_t received; /* complete replies */
	uint64_t bytes_sent;
	uint64_t bytes_received;
	/* messages due in the window that got no reply */
	uint64_t lost; /* sent; then the connection broke, the timeout passed, or it was refused */
	uint64_t unsent;  /* still not sent when the run was over */
	uint64_t shed;    /* dropped, because too many were in flight when due */
	uint64_t expired; /* dropped, because the deadline passed before the send */
	/* from here on also outside the window; replies */
	uint64_t checked; /* complete replies whose bytes were compared */
	uint64_t faults[MESSAGE_FAULT_MAX];
	/* connections */
	uint64_t opened;     /* at the start */
	uint64_t failed;     /* at the start */
	uint64_t reconnects; /* opened again after the start */
	uint64_t alive;      /* level, not a sum: open at this moment */
	uint64_t alive_end;  /* open when sending was over */
	uint64_t idle_opened;
	uint64_t idle_failed;
	uint64_t idle_reconnects; /* opened again, with --redial */
	uint64_t idle_alive;      /* answered the probe at the end */
	uint64_t idle_dead;       /* did not answer the probe */
	uint64_t delayed;         /* reconnects that had to wait for --connect-rate */
	uint64_t timeouts;        /* replies that did not come within the timeout */
	uint64_t refused;         /* replies by which the service says that it could not do it */
	uint64_t ends;            /* connections that the server closed unasked */
	/* TLS handshakes that agreed on none of --alpn's protocols; on the first of them, ... */
	uint64_t agreed[SEGMENT_PROTOCOLS_MAX];
	/* by system call and errno */
	uint64_t errors[SEGMENT_CALL_MAX][SEGMENT_ERRNO_MAX];
	/* messages under way */
	uint64_t in_flight;     /* level: sent and not yet answered */
	uint64_t in_flight_max; /* the highest level so far */
	/* the generator */
	uint64_t cpu;       /* CPU time of the thread, nanoseconds */
	uint64_t switches;  /* involuntary context switches of the thread */
	uint64_t pause_max; /* longest time without running, nanoseconds, in the window */
};

enum row_state { ROW_CONNECTING, ROW_READY, ROW_RUNNING, ROW_DRAINING, ROW_PROBING, ROW_DONE };

struct row {
	_Alignas(64) int state; /* enum row_state, by atomic store */
	struct tally tally;
	struct histogram response; /* reply minus intended time */
	struct histogram service;  /* reply minus actual send */
	struct histogram connect;  /* connect, with the TLS handshake */
	/* Actual send minus intended time, where only the generator can be the cause of a delay. */
	struct histogram lag;
	int64_t ended;                   /* clock when the window ended; 0: it has not */
	char offence[SEGMENT_TEXT_SIZE]; /* the first wrong reply; empty if there is none */
	/* The first TLS handshake that failed, or request that was refused; empty if none was. */
	char refusal[SEGMENT_TEXT_SIZE];
	char trouble[SEGMENT_TEXT_SIZE]; /* why the thread could not run; empty if it could */
};

struct segment {
	int64_t start; /* clock of the start; 0: not known yet */
	int64_t stop;  /* clock after which no message is due; INT64_MAX: as planned */
	unsigned rows; /* one for each generator thread */
	struct row row[];
};

/* Maps a segment, all zero but for rows and stop. Returns NULL with errno if it cannot. */
struct segment *segment_new(unsigned rows);

/* Unmaps the segment. NULL is ignored. */
void segment_free(struct segment *segment);

/* A sum of rows, at one moment or between two. */
struct measurement {
	double seconds; /* of the window that it covers */
	struct tally tally;
	struct histogram response;
	struct histogram service;
	struct histogram connect;
	struct histogram lag;
};

/* Sums all rows; seconds is left 0, for the caller to set. */
void measurement_take(struct measurement *measurement, const struct segment *segment);

/* Sets between to later minus earlier. Levels and maxima are later's. */
void measurement_between(struct measurement *between, const struct measurement *later,
	const struct measurement *earlier);

/* Adds the measurement of another run: seconds, counts and histograms. */
void measurement_add(struct measurement *into, const struct measurement *from);

/* The number of errors, which are all events that went wrong but wrong replies; and of wrong
 * replies (faults). */
uint64_t measurement_errors(const struct measurement *measurement);
uint64_t measurement_faults(const struct measurement *measurement);

/* Replies per second; and replies as a share of the messages due, at most 1 (1 if none was due). */
double measurement_rate(const struct measurement *measurement);
double measurement_ratio(const struct measurement *measurement);

#endif
