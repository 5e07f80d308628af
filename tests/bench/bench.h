/* hubbub-bench: what its subcommands share. */
#ifndef HUBBUB_TESTS_BENCH_H
#define HUBBUB_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

struct bench_options {
	bool json;
	unsigned rounds;  /* 0: the subcommand's default */
	double seconds;   /* of one measurement in echo; 0: default */
	const char *only; /* run only what has this in its name; NULL for all */
	const char *html; /* where peers writes its plots; NULL: nowhere */
};

/* Prints one result: a line of the table, or with --json an object. note may be NULL. */
void bench_print(const struct bench_options *options, const char *name, double value,
	const char *unit, const char *note);

/* Prints a line of prose, but not with --json. */
void bench_say(const struct bench_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The subcommands; they return the exit code. */
int bench_hub(const struct bench_options *options);
int bench_park(const struct bench_options *options);
int bench_echo(const struct bench_options *options);
int bench_lines(const struct bench_options *options);
int bench_peers(const struct bench_options *options);
int bench_seats(const struct bench_options *options);

/* Rows of the subcommand hub, in nanoseconds; see bench_wake.c. */
double bench_event_wake(void);
double bench_event_run(void);
double bench_mailbox(void);
double bench_eventfd(void);

/* Further rows of it; see bench_counting.c. */
double bench_count(void);
double bench_gauge(void);
double bench_record(void);
double bench_request(void);

/* Peers that are programs, told what to measure; in nanoseconds, negative if not installed. */
double peer_go(const char *what);
double peer_gevent(const char *what);

/* Peers of the switch, in nanoseconds per switch; negative if not built in. */
double peer_fcontext_switch(unsigned long switches);
double peer_ucontext_switch(unsigned long switches);

#endif
