/* The state of a sweep, and its outputs. */
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
	double rate;           /* the common rate of the open loops, messages per second */
	double first_rate;     /* the common rate before it was lowered */
	struct program server; /* the running server; pid 0: none runs */
	struct family family;  /* the running server and its children */
	double memory;         /* bytes, the most so far of the running server */
	int code;              /* exit code that ends the sweep; LOAD_DONE: it goes on */
	char why[512];         /* why the sweep ended early */
};

/* Prints the table of all shapes, as far as they are measured. */
void sweep_print_table(FILE *stream, const struct sweep *sweep);

/* Prints the table, and then which shape to choose, and why, or that the rounds do not tell. */
void sweep_print(FILE *stream, const struct sweep *sweep);

/* Write the JSON result, and the page with plots, to the paths of the options. Return false after a
 * message on stderr. */
bool sweep_write_json(const struct sweep *sweep);
bool sweep_write_page(const struct sweep *sweep);

#endif
