/* Runs many trials of one kind, each in a process of its own and some at a time: so each trial has
 * its own environment, and a crash ends only one. */
#ifndef HUBBUB_TESTS_TRIAL_H
#define HUBBUB_TESTS_TRIAL_H

#include <stdbool.h>

struct trial {
	unsigned number;     /* of its case */
	unsigned seed;       /* for its own random numbers */
	char failure[16384]; /* what went wrong; empty: the trial passed */
};

/* Appends to trial->failure. Returns false, for the caller to return. */
bool trial_fail(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct trials {
	unsigned count, at_once;
	unsigned sample;                  /* how many cases are drawn; 0: all (draw.h) */
	void (*run)(struct trial *trial); /* the trial; its process ends when it returns */
	const char *(*name)(unsigned number);
};

/* Runs the trials of the cases 0 to count - 1, or of a sample, and prints what failed ones report.
 * Returns how many failed; 1 if no case was drawn. */
unsigned trials_run(const struct trials *trials);

#endif
