/* argv with its @FILEs expanded, as the option parser gets it. */
#ifndef HUBBUB_START_ARGUMENTS_H
#define HUBBUB_START_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "master/base/nearest.h"

/* An expanded command line. It owns every string, unless a field says otherwise. */
struct arguments {
	char **items;       /* ended by NULL */
	const char **files; /* [item]: the FILE that it is from, or NULL; borrowed from argv */
	unsigned *lines;    /* [item]: its line there, from 1; 0 without a FILE */
	int count;
	char **kept; /* texts that arguments_keep has copied */
	size_t kept_count;
	bool is_short;     /* memory ran out: items are missing */
	const char *empty; /* a FILE without a single byte, or NULL; borrowed */
};

/* Copies argv, with each @FILE replaced by the lines of FILE. A line is one argument, or an option
 * and its value; blank lines and lines that begin with '#' are skipped. Files do not nest. If
 * takes_value returns true for an item, the next item is its value, whatever it begins with, and
 * must be from the same file; takes_value may be NULL. May block on a FILE for two seconds. Returns
 * 0, or -1 with a message in error. In either case the caller frees with arguments_free. */
int arguments_expand(struct arguments *arguments, int argc, char **argv,
	bool (*takes_value)(const char *item, const void *context), const void *context,
	char *error, size_t error_size);

/* Returns a copy of the first length bytes of text that lives as long as the arguments; NULL if out
 * of memory. */
const char *arguments_keep(struct arguments *arguments, const char *text, size_t length);

/* Frees all strings and zeroes the struct. */
void arguments_free(struct arguments *arguments);

/* Checks each item as nearest_check does. Runs before argp, which would only say "unrecognized
 * option". Returns true, or false with a message in error. */
bool arguments_check_names(const struct arguments *arguments, const char *const *names,
	nearest_synonym *synonyms, char *error, size_t error_size);

/* Writes where an item is from: "FILE:LINE: ", or "" for the command line. Returns text. */
const char *arguments_place(const struct arguments *arguments, int item, char *text, size_t size);

/* Returns the index of word among count words, or -1 with all words, joined by commas, in list. */
int arguments_find_word(
	const char *word, const char *const *words, unsigned count, char *list, size_t list_size);

#endif
