/* Tables of text: a line about each thing, such as a hub, and a column for each number of it. What
 * does not fit the screen is left out by whole columns, the least important first. */
#ifndef HUBBUB_CTL_TABLE_H
#define HUBBUB_CTL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What a line is about; borrowed, and NULL where it is about none. */
struct table_line {
	const json_t *worker, *hub, *state;
	const json_t *object; /* the listener, or the value of the metric */
	const char *name;     /* of the metric */
	const json_t *former; /* the same thing in an earlier state */
	double seconds;       /* since that state; 0: numbers of all time stand for rates */
	size_t order;         /* among all lines, as the server tells them */
};

enum table_kind {
	TABLE_TEXT,
	TABLE_WHOLE,
	TABLE_SHORT, /* "123", "12.3k": at most five characters */
	TABLE_PERCENT,
	TABLE_MILLISECONDS,
	TABLE_TIME, /* "350 us", "1.2 ms": at most six characters */
};

struct table_column {
	const char *heading;      /* where it has none; NULL: then the column is left out */
	const char *rate_heading; /* where the table has rates; NULL: the same */
	const char *meaning;      /* for help */
	int gap;                  /* before the column */
	int width;                /* negative: flush left */
	unsigned rank;            /* of those that do not fit, the highest is left out first */
	enum table_kind kind;
	void (*text)(char *text, size_t size, const struct table_line *line); /* of TABLE_TEXT */
	double (*value)(const struct table_line *line); /* of the others; NAN: "-" */
};

struct table {
	const struct table_column *columns;
	unsigned count; /* at most 31 */
};

/* Columns that are shown, as bits. */
typedef unsigned table_columns;

/* With them: texts stand as they are, however long. */
#define TABLE_UNCUT (1u << 31)

/* Returns the columns, with rates, that fit so wide a screen; at least those of rank 0. */
table_columns table_fit(const struct table *table, int width);

/* Returns all columns, without rates, uncut. */
table_columns table_all(const struct table *table);

/* How wide these columns are together. */
int table_width(const struct table *table, table_columns columns);

/* Writes the headings. If columns do not fit, "+2" at the end says how many. */
void table_heading(char *text, size_t size, const struct table *table, table_columns columns);

/* Writes a line, without a newline. A text that is longer than its column ends with "~". */
void table_write(char *text, size_t size, const struct table *table, table_columns columns,
	const struct table_line *line);

/* Which of two lines stands first by that column: the larger number, or the text that comes first
 * in the alphabet; of equals, the first that the server tells. As strcmp. */
int table_compare(
	const struct table_column *column, const struct table_line *a, const struct table_line *b);

/* Writes a number of that kind; "-" for NAN. */
void table_number(char *text, size_t size, enum table_kind kind, double number);

#endif
