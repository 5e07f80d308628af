/* How a table is read: first the command line with its @FILEs, then the environment, then the
 * defaults; a row that has a value from an earlier source is left alone. A list's values all come
 * from one source. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "master/start/help.h"
#include "master/start/layout.h"
#include "master/start/row.h"
#include "master/start/table.h"

#define WHY_SIZE 384

/* ---- rows ---- */

static bool
note_given(struct table_givens *givens, struct table_given given)
{
	struct table_given *items =
		realloc(givens->items, (givens->count + 1) * sizeof *givens->items);

	if (items == NULL)
		return false;
	givens->items = items;
	items[givens->count++] = given;
	return true;
}

/* ---- reading ---- */

/* Notes a value that was given, and reads it into its row's field. Returns false with error set if
 * it is wrong. */
static bool
take_given(struct table *table, struct table_given given)
{
	char why[WHY_SIZE];
	void *object;
	const struct hubbub_option *row = table_row(table, given.row, &object);

	if (!note_given(table->givens, given)) {
		table_complain(table, "no memory for the options");
		return false;
	}
	if (row_read(row, object, given.text, why, sizeof why))
		return true;
	table_complain_of(table, row->name, "%s", why);
	return false;
}

static bool
take_text(struct table *table, size_t index, const char *text, enum table_origin origin)
{
	return take_given(
		table, (struct table_given){.row = index, .text = text, .origin = origin});
}

/* What take_key needs: argp's input. */
struct run {
	struct table *table;
	struct layout *layout;
	int *operands; /* numbers of the items that are operands; borrowed */
	size_t operand_count;
	bool is_short; /* the help that is printed leaves options out */
};

/* Puts the item's origin in front of the error. */
static void
prepend_place(struct table *table, int item)
{
	char place[256], *error = strdup(table->error);

	arguments_place(table->arguments, item, place, sizeof place);
	if (error != NULL)
		snprintf(table->error, table->error_size, "%s%s", place, error);
	free(error);
}

/* Gives the operands to table->take, once all options are read: what an operand means may depend on
 * any option. */
static error_t
take_operands(struct run *run, struct argp_state *state)
{
	struct table *table = run->table;
	error_t error = 0;

	for (size_t i = 0; i < run->operand_count && error == 0; i++) {
		char *operand = table->arguments->items[run->operands[i]];

		error = table->take(table, ARGP_KEY_ARG, operand, state);
		if (table->error[0] != '\0')
			prepend_place(table, run->operands[i]);
	}
	return error;
}

static error_t
take_key(int key, char *value, struct argp_state *state)
{
	struct run *run = state->input;
	struct table *table = run->table;
	const int item = state->next > 0 ? state->next - 1 : 0;
	const char *file = table->arguments->files[item];
	const struct hubbub_option *row;
	size_t index;

	if (key > 0 && key < TABLE_EXTRA_KEY && (row = layout_find_key(table, key, &index)) != NULL)
		return take_given(table,
			       (struct table_given){.row = index,
				       .text = value != NULL ? value : row->implied,
				       .origin = file != NULL ? TABLE_FILE : TABLE_COMMAND_LINE,
				       .from = file,
				       .line = table->arguments->lines[item]})
			       ? 0
			       : EINVAL;
	if (key == ARGP_KEY_ARG) {
		run->operands[run->operand_count++] = item;
		return 0;
	}
	if (key == ARGP_KEY_END)
		return take_operands(run, state);
	if ((table->flags & ARGP_NO_HELP) == 0) {
		run->is_short = table->first != NULL && help_is_short(key);
		if (run->is_short)
			layout_shorten(run->layout, table);
		help_take(key, state);
	}
	return table->take(table, key, value, state);
}

bool
table_take(struct table *table, const char *name, const char *text)
{
	const struct hubbub_option *row;

	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++)
		if (strcmp(row->name, name) == 0)
			return take_text(table, i, text, TABLE_COMMAND_LINE);
	return false;
}

/* Reads a list from an environment variable, in which blanks separate the values. Returns false
 * with error set. */
static bool
take_list(struct table *table, size_t index, const char *text)
{
	static const char blanks[] = " \t\n";

	for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks);
		const char *item = arguments_keep(table->arguments, text, length);

		if (item == NULL)
			table_complain(table, "no memory for the environment");
		if (item == NULL || !take_text(table, index, item, TABLE_ENVIRONMENT))
			return false;
		text += length;
	}
	return true;
}

/* Reads an option without a value from an environment variable: "on" or "1" gives it. */
static void
take_switch(struct table *table, size_t index, const char *text)
{
	char variable[TABLE_VARIABLE_SIZE];

	if (strcmp(text, "on") == 0 || strcmp(text, "1") == 0)
		take_text(table, index, NULL, TABLE_ENVIRONMENT);
	else if (strcmp(text, "off") != 0 && strcmp(text, "0") != 0)
		table_complain(table, "%s: '%s' is not 'on' or 'off'",
			table_variable(table, table_row(table, index, NULL), variable), text);
}

static bool
was_given(const struct table *table, const char *name)
{
	return table_origin(table, table->givens, name) > TABLE_ENVIRONMENT;
}

/* Whether the command line or an @FILE gives the option or one of its rivals, so that the
 * environment does not count. */
static bool
is_settled(const struct table *table, const char *name)
{
	for (size_t i = 0; table->rivals != NULL && table->rivals[i][0] != NULL; i++)
		for (int k = 0; k < 2; k++)
			if (strcmp(name, table->rivals[i][k]) == 0 &&
				was_given(table, table->rivals[i][1 - k]))
				return true;
	return was_given(table, name);
}

static void
take_environment(struct table *table)
{
	const struct hubbub_option *row;

	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++) {
		char variable[TABLE_VARIABLE_SIZE];
		const char *text = getenv(table_variable(table, row, variable));

		if (text == NULL || *text == '\0' || row->change == HUBBUB_ACTION ||
			is_settled(table, row->name))
			continue;
		/* Copied, because the program may change its environment in place. */
		text = arguments_keep(table->arguments, text, strlen(text));
		if (text == NULL)
			table_complain(table, "no memory for the environment");
		else if (row->kind == HUBBUB_LIST)
			take_list(table, i, text);
		else if (row->kind == HUBBUB_CALL && row->values == NULL)
			take_switch(table, i, text);
		else
			take_text(table, i, text, TABLE_ENVIRONMENT);
	}
}

static void
take_defaults(struct table *table)
{
	const struct hubbub_option *row;
	void *object;
	char why[WHY_SIZE];

	for (size_t i = 0; (row = table_row(table, i, &object)) != NULL; i++)
		if (row->standard != NULL && table_last_given(table->givens, i) == NULL &&
			!row_read(row, object, row->standard, why, sizeof why))
			table_complain(table, "--%s: its default %s", row->name, why);
}

/* ---- argp ---- */

/* What a short help leaves out, or has in the place of the text behind the options. */
static char *
filter_help(int key, const char *text, void *input)
{
	const struct run *run = input;

	if (run == NULL || !run->is_short)
		return (char *)(uintptr_t)text;
	if (key == ARGP_KEY_HELP_HEADER || key == ARGP_KEY_HELP_DUP_ARGS_NOTE)
		return NULL;
	if (key == ARGP_KEY_HELP_POST_DOC)
		return strdup(run->table->brief);
	return (char *)(uintptr_t)text;
}

static void
take_arguments(struct table *table)
{
	int count = table->arguments->count;
	char **items = table->arguments->items;
	char *called = items[0];
	struct layout layout = {0};

	if (!layout_make(&layout, table)) {
		table_complain(table, "no memory for the options");
	} else if (arguments_check_names(table->arguments, layout.names, table->synonyms,
			   table->error, table->error_size)) {
		const struct argp argp = {.options = layout.options,
			.parser = take_key,
			.args_doc = table->usage,
			.doc = table->description,
			.help_filter = filter_help};
		struct run run = {.table = table, .layout = &layout, .operands = layout.operands};

		/* argp's errors begin with items[0]: the name that the help shows, however the
		 * program was called. ARGP_NO_HELP, because argp's own help has hidden options,
		 * which it offers when an abbreviation is ambiguous. */
		items[0] = program_invocation_short_name;
		if (argp_parse(&argp, count, items, table->flags | ARGP_IN_ORDER | ARGP_NO_HELP,
			    NULL, &run) != 0)
			table_complain(table, "an option is unknown, ambiguous or lacks its value; "
					      "see --help");
	}
	items[0] = called;
	layout_free(&layout);
}

static bool
needs_value(const struct hubbub_option *row)
{
	return row->values != NULL && row->implied == NULL;
}

/* Whether the last of several letters behind one dash needs a value, and no letter before it takes
 * the rest as its own. */
static bool
last_letter_needs_value(const struct table *table, const char *letters)
{
	const struct hubbub_option *row = NULL;
	size_t index;

	for (; *letters != '\0'; letters++) {
		if (row != NULL && row->values != NULL)
			return false;
		row = layout_find_key(table, (unsigned char)*letters, &index);
	}
	return row != NULL && needs_value(row);
}

static bool
begins_with(const char *name, const char *beginning)
{
	return name != NULL && strncmp(name, beginning, strlen(beginning)) == 0;
}

/* Whether the long option of that name, or the one that it abbreviates, needs a value. */
static bool
name_needs_value(const struct table *table, const char *name)
{
	const struct hubbub_option *row;
	bool is_needed = false;

	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++) {
		if (strcmp(name, row->name) == 0 ||
			(row->also != NULL && strcmp(name, row->also) == 0))
			return needs_value(row);
		if (begins_with(row->name, name) || begins_with(row->also, name))
			is_needed = is_needed || needs_value(row);
	}
	return is_needed;
}

/* Whether item is an option whose value is the next item. */
static bool
takes_value(const char *item, const void *context)
{
	if (item[0] == '-' && item[1] != '-')
		return last_letter_needs_value(context, item + 1);
	return strncmp(item, "--", 2) == 0 && name_needs_value(context, item + 2);
}

int
table_read(struct table *table, int argc, char **argv)
{
	table->error[0] = '\0';
	*table->givens = (struct table_givens){0};
	if (arguments_expand(table->arguments, argc, argv, takes_value, table, table->error,
		    table->error_size) != 0)
		return -1;
	if (table->expanded != NULL)
		table->expanded(table);
	take_arguments(table);
	if (table->error[0] == '\0')
		take_environment(table);
	if (table->error[0] == '\0')
		take_defaults(table);
	return table->error[0] == '\0' ? 0 : -1;
}
