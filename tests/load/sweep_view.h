/* What a sweep has measured, and showing it. */
#ifndef HUBBUB_LOAD_SWEEP_VIEW_H
#define HUBBUB_LOAD_SWEEP_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/load/load.h"
#include "tests/support/family.h"
#include "tests/support/program.h"

#define SWEEP_ROUNDS_MAX 100

/* What a shape did; medians over the rounds. Negative: not known. */
struct measured {
	struct load_shape shape;
	double throughput[SWEEP_ROUNDS_MAX];
	double cpu[SWEEP_ROUNDS_MAX]; /* seconds of the server per message */
	double memory;                /* bytes, at most */
	double p50[SWEEP_ROUNDS_MAX]; /* nanoseconds, at the common rate */
	double p99[SWEEP_ROUNDS_MAX];
	unsigned rounds;      /* closed loops that were measured */
	unsigned open_rounds; /* open loops that were */
	unsigned doubts;      /* open loops that were not valid */
};

struct sweep {
	struct load *load;
	struct measured measured[LOAD_SHAPES_MAX];
	unsigned count;
	double rate; /* the common one */
	struct program server;
	struct family family; /* of the server that runs */
	double memory;        /* of the server that runs, at most */
	int code;             /* that ends it; LOAD_DONE: none */
	char why[512];
};

/* Messages a second in the closed loop, the median over rounds. */
double sweep_throughput(const struct measured *measured);

/* All shapes, as far as they are measured. */
void sweep_print_table(FILE *stream, const struct sweep *sweep);

/* What to choose, and why, after that table. */
void sweep_print(FILE *stream, const struct sweep *sweep);

/* The files that were asked for. Returns false after a message on stderr. */
bool sweep_write_json(const struct sweep *sweep);
bool sweep_write_page(const struct sweep *sweep);

#endif
