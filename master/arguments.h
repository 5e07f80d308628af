/* What happens to argv before the option parser sees it. */
#ifndef HUBBUB_MASTER_ARGUMENTS_H
#define HUBBUB_MASTER_ARGUMENTS_H

#include <stdbool.h>

/* A command line of one's own: every string is owned. */
struct arguments {
	char **items; /* ended by NULL */
	int count;
	bool is_short; /* memory was short, so some are missing */
};

/* Copies argv, with each @FILE replaced by the lines of FILE: one argument a line, or an option and
 * its value; without lines that are blank or begin with '#'. Files do not nest. Returns 0, or -1 with a message in error; either
 * way the caller frees with arguments_free. */
int arguments_expand(
	struct arguments *arguments, int argc, char **argv, char *error, int error_size);

void arguments_free(struct arguments *arguments);

/* The name nearest to word among names (ended by NULL), or NULL if none is near enough to be meant. */
const char *arguments_nearest(const char *word, const char *const *names);

#endif
