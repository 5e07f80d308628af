/* What a sweep has measured, and showing it. */
#ifndef HUBBUB_LOAD_SWEEP_VIEW_H
#define HUBBUB_LOAD_SWEEP_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/load/ask/load.h"
#include "tests/load/run/sweep_choice.h"
#include "tests/support/family.h"
#include "tests/support/program.h"

struct sweep {
	struct load *load;
	struct measured measured[LOAD_SHAPES_MAX];
	unsigned count;
	double rate;       /* the common one */
	double first_rate; /* that it was, before it was lowered */
	struct program server;
	struct family family; /* of the server that runs */
	double memory;        /* of the server that runs, at most */
	int code;             /* that ends it; LOAD_DONE: none */
	char why[512];
};

/* All shapes, as far as they are measured. */
void sweep_print_table(FILE *stream, const struct sweep *sweep);

/* What to choose, and why, after that table; or that it cannot be told. */
void sweep_print(FILE *stream, const struct sweep *sweep);

/* The files that were asked for. Returns false after a message on stderr. */
bool sweep_write_json(const struct sweep *sweep);
bool sweep_write_page(const struct sweep *sweep);

#endif
