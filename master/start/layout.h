/* The arrays that argp reads, made of a table of options (table.h). */
#ifndef HUBBUB_START_LAYOUT_H
#define HUBBUB_START_LAYOUT_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "master/start/table.h"

#define LAYOUT_HELP_SIZE 512

/* What argp reads until its run has ended; owned. */
struct layout {
	struct argp_option *options;
	const char **names;              /* of all long options, ended by NULL */
	char (*helps)[LAYOUT_HELP_SIZE]; /* a text for each row */
	int *operands;                   /* room for all items */
};

/* Makes the arrays. Returns false if out of memory; in either case the caller frees them with
 * layout_free. */
bool layout_make(struct layout *layout, const struct table *table);

/* Hides from the help the rows of the first part that are not among the table's `first`, and all
 * aliases of that part. */
void layout_shorten(struct layout *layout, const struct table *table);

void layout_free(struct layout *layout);

/* Returns the row with that key of argp's, with its number over all parts in *index; NULL if the
 * key is none's. */
const struct hubbub_option *layout_find_key(const struct table *table, int key, size_t *index);

#endif
