/* A table of options: what a command line, @FILEs and the environment say, read row by row into the
 * objects that hold the fields, and printed again. The server's options are one, with the service's
 * own behind them; the load generator's another.
 *
 * glibc's argp takes the command line apart and lays out the help; whatever it needs is made of the
 * rows. A value on the command line or in an @FILE wins over one in the environment, and that over
 * the default. Nothing is half read: all is read into objects of the caller's, who throws them away
 * after an error. */
#ifndef HUBBUB_START_TABLE_H
#define HUBBUB_START_TABLE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "master/server.h"
#include "master/start/arguments.h"

#define TABLE_PARTS_MAX 2
#define TABLE_VARIABLE_SIZE 96
#define TABLE_NAMED_SIZE 512

/* A key of an extra option (see below) that is no letter. */
#define TABLE_EXTRA_KEY 0x10000

enum table_origin { TABLE_DEFAULT, TABLE_ENVIRONMENT, TABLE_FILE, TABLE_COMMAND_LINE };

/* A value that was given to a row, as text. */
struct table_given {
	size_t row; /* its index over all parts */
	const char *text;
	enum table_origin origin;
	const char *from; /* the FILE, if it is from one */
	unsigned line;    /* of it */
};

struct table_givens {
	struct table_given *items;
	size_t count;
};

/* Rows, and the object that their fields are in. */
struct table_part {
	const struct hubbub_option *rows; /* ended by one without a name; NULL for none */
	void *object;
};

struct table {
	struct table_part parts[TABLE_PARTS_MAX];
	const char *prefix; /* of its variables in the environment */
	/* Names of two options that set one thing: what the environment says of one is left out if
	 * the other was given elsewhere. Ended by one that is NULL; NULL for none. */
	const char *const (*rivals)[2];
	const char *usage; /* for the help, with the description: argp's args_doc and doc */
	const char *description;
	/* What else argp is to know: headings, --help and the like; ended by one that is all zero.
	 * Its keys are letters, or from TABLE_EXTRA_KEY on. */
	const struct argp_option *extras;
	/* Takes an extra's key, or, after all options, an argument that is none; returns 0, or an
	 * errno code after table_complain. */
	error_t (*take)(struct table *table, int key, char *value, struct argp_state *state);
	void *context;  /* take's own */
	unsigned flags; /* argp's, beside ARGP_IN_ORDER */
	struct arguments
		*arguments; /* the command line with its files, which the objects borrow from */
	struct table_givens *givens;
	char *error; /* the first thing that is wrong; empty if nothing is */
	size_t error_size;
};

/* Reads all there is to be read. The caller frees arguments and givens in any case. Returns 0, or
 * -1 with a line in error. */
int table_read(struct table *table, int argc, char **argv);

/* Gives the option of that name a text from the command line, for take: an argument that stands for
 * it. Returns whether it is right. */
bool table_take(struct table *table, const char *name, const char *text);

/* Something is wrong with the values as a whole; of several such things the first is kept. */
void table_complain(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The option as it was given: "--listen", "FILE:3: --listen", "HUBBUB_SERVER_LISTEN"; the first of
 * these if it was not. Returns text. */
const char *table_named(
	const struct table *table, const char *name, char text[static TABLE_NAMED_SIZE]);

/* The same of one option, which is named first. */
void table_complain_of(struct table *table, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The row of that index over all parts, with its part's object; NULL behind the last one. */
const struct hubbub_option *table_row(const struct table *table, size_t index, void **object);

/* What that row was given last, by the command line, an @FILE or the environment; NULL: nothing. */
const struct table_given *table_last_given(const struct table_givens *givens, size_t row);

/* Whether text begins with the whole name of an option, as "limit=4" does. */
bool table_has_name(const struct table *table, const char *text);

/* Where the option's value is from; the last one's, if there are several. */
enum table_origin table_origin(
	const struct table *table, const struct table_givens *givens, const char *name);

/* Prints every setting as an argument, one a line, with a comment that says where it is from;
 * defaults as comments. What is printed, taken as an @FILE, gives the same settings. */
void table_print(const struct table *table, const struct table_givens *givens, FILE *stream);

/* The variable that stands for the option: "HUBBUB_SERVER_IDLE_TIMEOUT". Returns text. */
const char *table_variable(const struct table *table, const struct hubbub_option *row,
	char text[static TABLE_VARIABLE_SIZE]);

/* Tells of each variable in the environment that is none of the table's but nearly one: "X is no
 * option; did you mean Y?". */
void table_check_environment(const struct table *table, void (*tell)(const char *text));

/* What is wrong with the rows themselves, such as two of one name. Returns whether nothing is, or a
 * line in error. */
bool table_is_sound(const struct table *table, char *error, size_t size);

/* The first row whose object a reload has to compare or to put back: one that is not reloadable, a
 * string, which the options own, or a list; NULL if there is none. */
const struct hubbub_option *table_find_bound(const struct hubbub_option *rows);

/* Copies rows, with the one without a name at their end. */
void table_copy_rows(struct hubbub_option *to, const struct hubbub_option *rows);

/* Gives the row of that name another default. */
void table_set_standard(struct hubbub_option *rows, const char *name, const char *standard);

void table_givens_free(struct table_givens *givens);

#endif
