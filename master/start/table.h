/* A table of options: the values on a command line, in @FILEs and in the environment are read row
 * by row into the fields of objects, and printed again. The server's options, with the service's
 * own behind them, are one table; the load generator's are another.
 *
 * glibc's argp parses the command line and formats the help, by what is made of the rows for it. A
 * value on the command line or in an @FILE overrides one in the environment, which overrides the
 * default. After an error the objects may be half filled in, and the caller throws them away. */
#ifndef HUBBUB_START_TABLE_H
#define HUBBUB_START_TABLE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "master/base/nearest.h"
#include "master/server.h"
#include "master/start/arguments.h"

#define TABLE_PARTS_MAX 2
#define TABLE_VARIABLE_SIZE 96
#define TABLE_NAMED_SIZE 512

/* The first key for extra options (struct table) that are no letters. */
#define TABLE_EXTRA_KEY 0x10000

/* Where a value is from, the weakest first. */
enum table_origin { TABLE_DEFAULT, TABLE_ENVIRONMENT, TABLE_FILE, TABLE_COMMAND_LINE };

/* A value that was given to a row. */
struct table_given {
	size_t row;       /* the row's number over all parts */
	const char *text; /* borrowed from arguments; NULL for a flag */
	enum table_origin origin;
	const char *from; /* the FILE, if origin is TABLE_FILE; borrowed */
	unsigned line;    /* of that FILE, from 1 */
};

/* All values that were given, in the sequence in which they were read; owned. */
struct table_givens {
	struct table_given *items;
	size_t count;
};

/* Rows, and the object that has their fields. */
struct table_part {
	const struct hubbub_option *rows; /* ended by a row without a name; NULL for none */
	void *object;
};

/* A table, and one reading of it; the caller fills in all fields, and owns what they point to. */
struct table {
	struct table_part parts[TABLE_PARTS_MAX];
	const char *prefix; /* of the rows' environment variables */
	/* Pairs of options that set the same thing: the environment's value for one is ignored if
	 * the other is given on the command line or in an @FILE. Ended by a pair of NULL; NULL for
	 * none. */
	const char *const (*rivals)[2];
	nearest_synonym *synonyms; /* of other programs, for errors; NULL for none */
	const char *usage;         /* argp's args_doc; description is its doc */
	const char *description;
	/* The names of the first part's rows that --help lists, ended by NULL, and the text behind
	 * them; --help-all lists every row. NULL: --help does, too. */
	const char *const *first;
	const char *brief;
	/* Further options for argp that are no rows, and headings; ended by an entry that is all
	 * zero. Their keys are letters, or from TABLE_EXTRA_KEY on. */
	const struct argp_option *extras;
	/* Takes the key of an extra option, and, once all options are read, each operand
	 * (ARGP_KEY_ARG). Returns 0, an errno after table_complain, or ARGP_ERR_UNKNOWN. */
	error_t (*take)(struct table *table, int key, char *value, struct argp_state *state);
	/* Called once @FILEs are replaced, before any word is read; NULL for nothing. It may change
	 * flags. */
	void (*expanded)(struct table *table);
	void *context;  /* for take */
	unsigned flags; /* argp's, besides ARGP_IN_ORDER */
	struct arguments
		*arguments; /* the command line with its @FILEs; the objects borrow from it */
	struct table_givens *givens;
	char *error; /* the first error; "" if there is none */
	size_t error_size;
};

/* Reads the command line with its @FILEs, the environment, and the defaults. May block on an @FILE.
 * Returns 0, or -1 with a line in error. In either case the caller frees arguments and givens. */
int table_read(struct table *table, int argc, char **argv);

/* Gives the option of that name a text, as if it were on the command line; for take, when an
 * operand stands for an option. Returns false with error set if the value is wrong. */
bool table_take(struct table *table, const char *name, const char *text);

/* Sets error, unless it is set already: the first error is kept. */
void table_complain(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes an option's name as it was given last: "--listen", "FILE:3: --listen" or
 * "HUBBUB_SERVER_LISTEN"; "--listen" also if it was not given. Returns text. */
const char *table_named(
	const struct table *table, const char *name, char text[static TABLE_NAMED_SIZE]);

/* Sets error to the option's name, as table_named writes it, and what is wrong with it; the first
 * error is kept. */
void table_complain_of(struct table *table, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the row of that number over all parts, with its part's object in *object; NULL behind the
 * last row. object may be NULL. */
const struct hubbub_option *table_row(const struct table *table, size_t index, void **object);

/* Returns the value that the row was given last; NULL if it was not given. */
const struct table_given *table_last_given(const struct table_givens *givens, size_t row);

/* Whether text is the whole name of an option, up to a '=' or blank: "limit=4". */
bool table_has_name(const struct table *table, const char *text);

/* Returns where the option's value is from; the last one's if there are several. */
enum table_origin table_origin(
	const struct table *table, const struct table_givens *givens, const char *name);

/* Prints all settings as an @FILE that gives the same settings: one argument a line, below a
 * comment that names its origin; defaults as comments. Actions are left out. */
void table_print(const struct table *table, const struct table_givens *givens, FILE *stream);

/* Writes the name of an option's environment variable: "HUBBUB_SERVER_IDLE_TIMEOUT". Returns
 * text. */
const char *table_variable(const struct table *table, const struct hubbub_option *row,
	char text[static TABLE_VARIABLE_SIZE]);

/* Calls tell for each environment variable that has the prefix and is nearly, but not quite, the
 * name of an option's: "X in the environment is no option; did you mean Y?". */
void table_check_environment(const struct table *table, void (*tell)(const char *text));

/* Whether the rows themselves are sound; if not, a line in error names the fault, such as two rows
 * of the same name. Comes before table_read. */
bool table_is_sound(const struct table *table, char *error, size_t size);

/* Returns the first row that needs a context_size, because a reload must compare its field or put
 * it back: a row that is not reloadable, a string or a list. NULL if there is none. */
const struct hubbub_option *table_find_bound(const struct hubbub_option *rows);

/* Copies rows, up to and with the row without a name. */
void table_copy_rows(struct hubbub_option *to, const struct hubbub_option *rows);

/* Gives the row of that name another default, which it borrows; NULL for none. */
void table_set_standard(struct hubbub_option *rows, const char *name, const char *standard);

/* Frees the values and empties the list. */
void table_givens_free(struct table_givens *givens);

#endif
