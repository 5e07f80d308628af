/* What happens to argv before the option parser sees it. */
#ifndef HUBBUB_START_ARGUMENTS_H
#define HUBBUB_START_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* A command line of one's own: every string is owned. */
struct arguments {
	char **items; /* ended by NULL */
	const char *
		*files;  /* for each item the FILE that it is from, or NULL; borrowed from argv */
	unsigned *lines; /* and its line there, from 1 */
	int count;
	char **kept; /* by arguments_keep */
	size_t kept_count;
	bool is_short;     /* memory was short, so some are missing */
	const char *empty; /* a FILE without a single byte, or NULL; borrowed from argv */
};

/* Copies argv, with each @FILE replaced by the lines of FILE: one argument a line, or an option and
 * its value; without lines that are blank or begin with '#'. Files do not nest. What follows an
 * item that takes_value says yes to (NULL: none does) is its value, whatever it begins with, and
 * from the same file.
 * Returns 0, or -1 with a message in error; either way the caller frees with arguments_free. */
int arguments_expand(struct arguments *arguments, int argc, char **argv,
	bool (*takes_value)(const char *item, const void *context), const void *context,
	char *error, size_t error_size);

/* A copy of the text's first bytes that lives as long as the arguments do; NULL without memory. */
const char *arguments_keep(struct arguments *arguments, const char *text, size_t length);

void arguments_free(struct arguments *arguments);

/* argp would only say "unrecognized option": looks for long options that are none of the names
 * (ended by NULL) before it runs. Returns true, or false with a message in error that suggests the
 * nearest. */
bool arguments_check_names(const struct arguments *arguments, const char *const *names, char *error,
	size_t error_size);

/* Writes "FILE:LINE: " of that item, or "" if it is from the command line. Returns text. */
const char *arguments_place(const struct arguments *arguments, int item, char *text, size_t size);

/* The index of word among count words; or -1 with all of them, joined by commas, in list. */
int arguments_find_word(
	const char *word, const char *const *words, unsigned count, char *list, size_t list_size);

#endif
