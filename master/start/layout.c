/* argp reads an array of options: here the table's headings and other extras, then its rows, each
 * with its alias behind it, then the options of every program. Its help shows what is not hidden.
 */
#include "master/start/layout.h"

#include <stdlib.h>
#include <string.h>

#include "master/start/help.h"
#include "master/start/row.h"

#define ROW_KEY 256 /* argp's key of the first row; letters are below */

static size_t
count_rows(const struct table *table)
{
	size_t count = 0;

	while (table_row(table, count, NULL) != NULL)
		count++;
	return count;
}

static int
key_of(const struct hubbub_option *row, size_t index)
{
	return row->letter != 0 ? row->letter : (int)(ROW_KEY + index);
}

const struct hubbub_option *
layout_find_key(const struct table *table, int key, size_t *index)
{
	const struct hubbub_option *row;

	for (*index = 0; (row = table_row(table, *index, NULL)) != NULL; (*index)++)
		if (key_of(row, *index) == key)
			return row;
	return NULL;
}

void
layout_free(struct layout *layout)
{
	free(layout->options);
	free(layout->names);
	free(layout->helps);
	free(layout->operands);
}

static int
argp_flags_of(const struct hubbub_option *row)
{
	return row->implied != NULL ? OPTION_ARG_OPTIONAL : 0;
}

static size_t
count_extras(const struct table *table)
{
	const struct argp_option *extra = table->extras;
	size_t count = 0;

	while (extra != NULL && (extra[count].name != NULL || extra[count].doc != NULL))
		count++;
	return count;
}

bool
layout_make(struct layout *layout, const struct table *table)
{
	size_t rows = count_rows(table), extras = count_extras(table), count = 0, names = 0, index;
	const struct hubbub_option *row;

	layout->options = calloc(2 * rows + extras + HELP_OPTIONS_MAX + 1, sizeof *layout->options);
	layout->names = calloc(2 * rows + extras + HELP_OPTIONS_MAX + 1, sizeof *layout->names);
	layout->helps = calloc(rows + 1, sizeof *layout->helps);
	layout->operands = calloc((size_t)table->arguments->count, sizeof *layout->operands);
	if (layout->options == NULL || layout->names == NULL || layout->helps == NULL ||
		layout->operands == NULL)
		return false;
	for (size_t i = 0; i < extras; i++)
		layout->options[count++] = table->extras[i];
	for (size_t i = 0; (row = table_row(table, i, NULL)) != NULL; i++) {
		row_help(row, layout->helps[i], sizeof layout->helps[i]);
		layout->options[count++] = (struct argp_option){row->name, key_of(row, i),
			row->values, argp_flags_of(row), layout->helps[i],
			row->group != 0 ? row->group : 1};
		if (row->also != NULL)
			layout->options[count++] =
				(struct argp_option){.name = row->also, .flags = OPTION_ALIAS};
	}
	if ((table->flags & ARGP_NO_HELP) == 0)
		count += help_lay_out(
			layout->options + count, layout_find_key(table, 'h', &index) != NULL);
	for (size_t i = 0; i < count; i++)
		if (layout->options[i].name != NULL)
			layout->names[names++] = layout->options[i].name;
	return true;
}

static bool
is_among(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

void
layout_shorten(struct layout *layout, const struct table *table)
{
	const struct hubbub_option *rows = table->parts[0].rows;
	size_t option = count_extras(table);

	for (; rows != NULL && rows->name != NULL; rows++) {
		int hidden = is_among(rows->name, table->first) ? 0 : OPTION_HIDDEN;

		layout->options[option++].flags |= hidden;
		if (rows->also != NULL)
			layout->options[option++].flags |= OPTION_HIDDEN;
	}
}
