/* What was seen of a run: its trace, its last events, why it has failed, and its report in words.
 * All functions are for the thread that runs the world, and none switches. */
#ifndef HUBBUB_SIM_REPORT_PRIV_H
#define HUBBUB_SIM_REPORT_PRIV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/world/trouble_priv.h"
#include "sim/world/who_priv.h"

#define EVENTS_TOLD 50
#define EVENTS_KEPT 64 /* a power of 2 */

/* One line of the report: "TCP socket 513 receives 3 of 100 bytes". All texts are literals. */
struct event {
	int64_t at;          /* since the world began; set when it is noted */
	const char *subject; /* what the descriptor is of; NULL: the event is of none */
	int fd;              /* 0: the program has none yet */
	int error;           /* of errno.h; 0: none */
	const char *what;    /* of printf, with at most three longs; NULL: it is a note */
	long numbers[3];
};

#define NOTE_SIZE 160

/* What the report is made of. Texts are pointed to, or copied: a child leaves it in memory that its
 * parent shares. */
struct seen {
	uint64_t seed;
	uint64_t trace;
	struct event events[EVENTS_KEPT];   /* a ring */
	struct who who[EVENTS_KEPT];        /* whose they are */
	char notes[EVENTS_KEPT][NOTE_SIZE]; /* of those that the program has noted */
	uint64_t noted, by_program;
	const char *format; /* of the failure: tells one kind of failure from another; NULL: none */
	char failure[256];
	bool has_ended;  /* the run, not only its process */
	char dump[6000]; /* of a run that hangs: what its coroutines wait for */
	struct troubles troubles;
};

/* Where a run is seen from now on; NULL: in memory of the report's own. */
void report_in(struct seen *seen);

/* Whether the caller's process reports to another one, so that it prints nothing itself. */
bool report_is_elsewhere(void);

/* A run begins, at the time that is in *now, which is borrowed and goes on. */
void report_begin(uint64_t seed, const int64_t *now);

/* Nanoseconds since then. */
int64_t report_age(void);

/* What the present run has met of trouble, and will. */
struct troubles *report_troubles(void);

/* Makes the report of what was seen, after the run; a signal that ended it, or 0. */
void report_write(const struct seen *seen, int signal);
void report_end(void);

/* The program has ended the process in which it ran. */
void report_exit(struct seen *seen);

/* Nothing runs, and that is why: it is all that the report says, in a line. Not in a run. */
void report_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Keeps what dump writes to the descriptor, or its beginning. */
void report_dump(void (*dump)(int fd));

/* Notes an event for the report, and in the trace; what is a literal of printf with at most three
 * longs. */
void world_note(const char *what, long a, long b, long c);

/* So many were noted, without trouble and the program's notes. */
uint64_t report_events(void);

/* Notes an event, of which this is what struct event has; of the coroutine that runs. */
void report_event(const char *subject, int fd, int error, const char *what, long a, long b, long c);

/* The same without a descriptor, of another coroutine: what is a literal. */
void report_event_of(const struct hub_coroutine *coroutine, const char *what);

/* Notes what the program says. */
void report_note(const char *format, va_list arguments);

/* Bytes that count in the trace. */
void world_see(const void *bytes, size_t length);

/* The run has failed: notes why, for the report. Only the first reason counts. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_fail(const char *format, va_list arguments);

bool world_has_failed(void);

#endif
