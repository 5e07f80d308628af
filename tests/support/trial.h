/* Trials of one kind, each in a process of its own and some at the same time: so each has its own
 * environment, and none ends the others. */
#ifndef HUBBUB_TESTS_TRIAL_H
#define HUBBUB_TESTS_TRIAL_H

#include <stdbool.h>

struct trial {
	unsigned number;     /* of the case that it tries */
	unsigned seed;       /* of what it draws itself */
	char failure[16384]; /* what went wrong; empty: nothing */
};

/* Notes what went wrong, after what has been noted before. Returns false. */
bool trial_fail(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct trials {
	unsigned count, at_once;
	unsigned sample;                  /* how many of them are drawn; 0: all (see draw.h) */
	void (*run)(struct trial *trial); /* in a process that ends when it returns */
	const char *(*name)(unsigned number);
};

/* Runs trials of the cases 0 to count - 1, or some of them, and prints what those say that fail.
 * Returns how many fail; none at all is a failure, too. */
unsigned trials_run(const struct trials *trials);

#endif
