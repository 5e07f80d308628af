/* What a table knows of its rows: finding, naming, printing, and whether they are sound.
 * table_read.c reads them. Rows are numbered over all parts; a value that was given remembers its
 * row's number and its origin, so that errors and --print-config can name it. */
#include "master/start/table.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/base/nearest.h"
#include "master/base/values.h"
#include "master/start/row.h"

#define TEXT_SIZE 4096 /* bytes of a value that is printed */

void
table_complain(struct table *table, const char *format, ...)
{
	va_list arguments;

	if (table->error[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(table->error, table->error_size, format, arguments);
	va_end(arguments);
}

/* ---- rows ---- */

const struct hubbub_option *
table_row(const struct table *table, size_t index, void **object)
{
	for (size_t part = 0; part < TABLE_PARTS_MAX; part++) {
		const struct hubbub_option *row = table->parts[part].rows;

		if (object != NULL)
			*object = table->parts[part].object;
		for (; row != NULL && row->name != NULL; row++)
			if (index-- == 0)
				return row;
	}
	return NULL;
}

const struct table_given *
table_last_given(const struct table_givens *givens, size_t row)
{
	for (size_t i = givens->count; i > 0; i--)
		if (givens->items[i - 1].row == row)
			return &givens->items[i - 1];
	return NULL;
}

void
table_givens_free(struct table_givens *givens)
{
	free(givens->items);
	*givens = (struct table_givens){0};
}

/* Returns the row of that name, or NULL. *index gets its number over all parts; index may be
 * NULL. */
static const struct hubbub_option *
find_row(const struct table *table, const char *name, size_t *index)
{
	const struct hubbub_option *row;

	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++) {
		if (index != NULL)
			*index = i;
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

bool
table_has_name(const struct table *table, const char *text)
{
	const struct hubbub_option *row;
	size_t length = strcspn(text, "= \t");

	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++)
		if (strlen(row->name) == length && strncmp(row->name, text, length) == 0)
			return true;
	return false;
}

enum table_origin
table_origin(const struct table *table, const struct table_givens *givens, const char *name)
{
	const struct table_given *given = NULL;
	size_t index;

	if (find_row(table, name, &index) != NULL)
		given = table_last_given(givens, index);
	return given != NULL ? given->origin : TABLE_DEFAULT;
}

const char *
table_variable(const struct table *table, const struct hubbub_option *row,
	char text[static TABLE_VARIABLE_SIZE])
{
	snprintf(text, TABLE_VARIABLE_SIZE, "%s%s", table->prefix, row->name);
	for (char *c = text + strlen(table->prefix); *c != '\0'; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
	return text;
}

const char *
table_named(const struct table *table, const char *name, char text[static TABLE_NAMED_SIZE])
{
	char variable[TABLE_VARIABLE_SIZE];
	size_t index;
	const struct hubbub_option *row = find_row(table, name, &index);
	const struct table_given *given =
		row != NULL ? table_last_given(table->givens, index) : NULL;

	if (given != NULL && given->origin == TABLE_ENVIRONMENT)
		snprintf(text, TABLE_NAMED_SIZE, "%s", table_variable(table, row, variable));
	else if (given != NULL && given->origin == TABLE_FILE)
		snprintf(text, TABLE_NAMED_SIZE, "%s:%u: --%s", given->from, given->line, name);
	else
		snprintf(text, TABLE_NAMED_SIZE, "--%s", name);
	return text;
}

void
table_complain_of(struct table *table, const char *name, const char *format, ...)
{
	char text[512], named[TABLE_NAMED_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	table_complain(table, "%s: %s", table_named(table, name, named), text);
}

/* ---- the environment ---- */

/* Returns the row whose variable is nearest to that variable; NULL if the variable is exactly a
 * row's, or near to none. names has room for all rows' names and a NULL. */
static const struct hubbub_option *
find_near(const struct table *table, const char *variable, const char **names)
{
	char name[TABLE_VARIABLE_SIZE], own[TABLE_VARIABLE_SIZE];
	const struct hubbub_option *row;
	const char *nearest;
	size_t count = 0;

	for (; (row = table_row(table, count, NULL)) != NULL; count++) {
		names[count] = row->name;
		if (strcmp(table_variable(table, row, own), variable) == 0)
			return NULL;
	}
	names[count] = NULL;
	snprintf(name, sizeof name, "%s", variable + strlen(table->prefix));
	for (char *c = name; *c != '\0'; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++)
		if (row->also != NULL && strcmp(row->also, name) == 0)
			return row;
	nearest = nearest_name(name, names);
	return nearest != NULL ? find_row(table, nearest, NULL) : NULL;
}

void
table_check_environment(const struct table *table, void (*tell)(const char *text))
{
	size_t rows = 0;
	const char **names;

	while (table_row(table, rows, NULL) != NULL)
		rows++;
	names = calloc(rows + 1, sizeof *names);
	for (char **each = environ; names != NULL && *each != NULL; each++) {
		char variable[TABLE_VARIABLE_SIZE], near[TABLE_VARIABLE_SIZE], text[256];
		size_t length = strcspn(*each, "=");
		const struct hubbub_option *row;

		/* An empty variable counts as unset. */
		if (strncmp(*each, table->prefix, strlen(table->prefix)) != 0 ||
			length >= sizeof variable || (*each)[length] != '=' ||
			(*each)[length + 1] == '\0')
			continue;
		snprintf(variable, sizeof variable, "%.*s", (int)length, *each);
		row = find_near(table, variable, names);
		if (row == NULL)
			continue;
		snprintf(text, sizeof text, "%s in the environment is no option; did you mean %s?",
			variable, table_variable(table, row, near));
		tell(text);
	}
	free(names);
}

/* ---- printing ---- */

static void
print_origin(const struct table *table, const struct hubbub_option *row,
	const struct table_given *given, FILE *stream)
{
	char variable[TABLE_VARIABLE_SIZE];

	fprintf(stream, "# --%s: from ", row->name);
	if (given->origin == TABLE_ENVIRONMENT)
		fprintf(stream, "%s in the environment\n", table_variable(table, row, variable));
	else if (given->origin == TABLE_FILE)
		fprintf(stream, "%s\n", given->from);
	else
		fprintf(stream, "the command line\n");
}

/* Prints a setting as a line of an @FILE. Values with a newline, or blanks at their end, cannot be
 * written so. */
static void
print_value(const struct hubbub_option *row, const char *text, FILE *stream)
{
	size_t length = text != NULL ? strlen(text) : 0;

	if (length > 0 &&
		(strpbrk(text, "\r\n") != NULL || strchr(" \t", text[length - 1]) != NULL))
		fprintf(stream, "# --%s: no line of a file can hold this value\n", row->name);
	else if (text == NULL || row->values == NULL)
		fprintf(stream, "--%s\n", row->name);
	else
		fprintf(stream, "--%s=%s\n", row->name, text);
}

static void
print_default(const struct hubbub_option *row, const void *object, FILE *stream)
{
	const char *standard = row->standard;
	char text[TEXT_SIZE];

	if (standard == NULL) {
		fprintf(stream, "# --%s (default: %s)\n", row->name,
			row->note != NULL ? row->note : "not given");
		return;
	}
	row_write(row, object, text, sizeof text);
	if (row->kind == HUBBUB_NUMBER && row->word_count > 0 && strcmp(text, standard) != 0)
		fprintf(stream, "# --%s=%s (default: %s)\n", row->name, text, standard);
	else
		fprintf(stream, "# --%s=%s (default)\n", row->name,
			text[0] != '\0' ? text : standard);
}

static void
print_row(const struct table *table, const struct table_givens *givens, size_t index, FILE *stream)
{
	void *object;
	const struct hubbub_option *row = table_row(table, index, &object);
	const struct table_given *last = table_last_given(givens, index);
	char buffer[TEXT_SIZE];
	const char *text;

	if (last == NULL) {
		print_default(row, object, stream);
		return;
	}
	if (row->kind != HUBBUB_LIST && row->kind != HUBBUB_CALL) {
		/* A string may be longer than the buffer. */
		text = row->kind == HUBBUB_STRING ? last->text
						  : row_write(row, object, buffer, sizeof buffer);
		print_origin(table, row, last, stream);
		if (row->kind == HUBBUB_FLAG && text[0] == '\0')
			fprintf(stream, "# --%s is off\n", row->name);
		else
			print_value(row, text, stream);
		return;
	}
	for (size_t i = 0; i < givens->count; i++)
		if (givens->items[i].row == index) {
			print_origin(table, row, &givens->items[i], stream);
			print_value(row, givens->items[i].text, stream);
		}
}

void
table_print(const struct table *table, const struct table_givens *givens, FILE *stream)
{
	const struct hubbub_option *row;

	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++)
		if (row->change != HUBBUB_ACTION)
			print_row(table, givens, i, stream);
}

/* ---- the rows themselves ---- */

/* Whether name is the row's name or its other name. name may be NULL. */
static bool
has_name(const struct hubbub_option *row, const char *name)
{
	return name != NULL && (strcmp(row->name, name) == 0 ||
				       (row->also != NULL && strcmp(row->also, name) == 0));
}

/* Whether a row collides with an earlier one, by a name, its letter or its variable. Then error
 * says how to mend it. is_ours: the earlier row is one of every server, this row the service's. */
static bool
collides(const struct table *table, const struct hubbub_option *row,
	const struct hubbub_option *before, bool is_ours, char *error, size_t size)
{
	char own[TABLE_VARIABLE_SIZE], other[TABLE_VARIABLE_SIZE];
	const char *name = has_name(before, row->name) ? row->name : row->also;

	if (has_name(before, name) && is_ours)
		snprintf(error, size, "--%s is an option of every server; choose another name",
			name);
	else if (has_name(before, name))
		snprintf(error, size, "two options are called --%s; choose another name", name);
	else if (row->letter != 0 && row->letter == before->letter)
		snprintf(error, size, "--%s: its letter -%c is that of --%s; choose another one",
			row->name, row->letter, before->name);
	else if (strcmp(table_variable(table, row, own), table_variable(table, before, other)) == 0)
		snprintf(error, size, "--%s: its variable %s is that of --%s; choose another name",
			row->name, own, before->name);
	else
		return false;
	return true;
}

/* Whether a name, the letter or the variable of a row is that of an earlier row or of the help;
 * then error says so. */
static bool
is_taken(const struct table *table, size_t index, char *error, size_t size)
{
	static const char *const standing[] = {"help", "usage", "version"};
	const struct hubbub_option *row = table_row(table, index, NULL);
	const struct hubbub_option *server = table->parts[0].rows;
	size_t ours = 0;

	for (size_t i = 0; i < sizeof standing / sizeof standing[0]; i++)
		if (has_name(row, standing[i])) {
			snprintf(error, size,
				"--%s is an option of every program; choose another name",
				standing[i]);
			return true;
		}
	if (row->letter != 0 && strchr("?V", row->letter) != NULL) {
		snprintf(error, size, "--%s: its letter -%c is that of --%s; choose another one",
			row->name, row->letter, row->letter == 'V' ? "version" : "help");
		return true;
	}
	while (server != NULL && server[ours].name != NULL)
		ours++;
	for (size_t i = 0; i < index; i++)
		if (collides(table, row, table_row(table, i, NULL), i < ours && index >= ours,
			    error, size))
			return true;
	return false;
}

bool
table_is_sound(const struct table *table, char *error, size_t size)
{
	const struct hubbub_option *row;
	const char *fault;
	void *object;

	for (size_t i = 0; (row = table_row(table, i, &object)) != NULL; i++) {
		fault = row_fault(row, object != NULL);
		if (fault != NULL)
			snprintf(error, size, "the option --%s of this program %s", row->name,
				fault);
		if (fault != NULL || is_taken(table, i, error, size))
			return false;
	}
	return true;
}

const struct hubbub_option *
table_find_bound(const struct hubbub_option *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (rows->change != HUBBUB_RELOADABLE || rows->kind == HUBBUB_STRING ||
			rows->kind == HUBBUB_LIST)
			return rows;
	return NULL;
}

void
table_copy_rows(struct hubbub_option *to, const struct hubbub_option *rows)
{
	do
		*to++ = *rows;
	while (rows++->name != NULL);
}

void
table_set_standard(struct hubbub_option *rows, const char *name, const char *standard)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			rows->standard = standard;
}
