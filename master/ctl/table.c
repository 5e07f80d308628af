/* A cell is written alone, and then placed: so none can run into its neighbour. */
#include "master/ctl/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGN_WIDTH 4 /* of " +10" */

static bool
has(table_columns columns, unsigned column)
{
	return (columns >> column & 1) != 0;
}

int
table_width(const struct table *table, table_columns columns)
{
	int width = 0;

	for (unsigned i = 0; i < table->count; i++)
		if (has(columns, i))
			width += (width > 0 ? table->columns[i].gap : 0) +
				 abs(table->columns[i].width);
	return width;
}

table_columns
table_all(const struct table *table)
{
	table_columns columns = TABLE_UNCUT;

	for (unsigned i = 0; i < table->count; i++)
		if (table->columns[i].heading != NULL)
			columns |= 1u << i;
	return columns;
}

/* Returns the columns without the least important; the same if only important ones are left. */
static table_columns
leave_one(const struct table *table, table_columns columns)
{
	unsigned rank = 0, least = 0;

	for (unsigned i = 0; i < table->count; i++)
		if (has(columns, i) && table->columns[i].rank > rank) {
			rank = table->columns[i].rank;
			least = 1u << i;
		}
	return columns & ~least;
}

table_columns
table_fit(const struct table *table, int width)
{
	table_columns columns = (1u << table->count) - 1, fewer;

	if (table_width(table, columns) <= width)
		return columns;
	while ((fewer = leave_one(table, columns)) != columns) {
		columns = fewer;
		if (table_width(table, columns) + SIGN_WIDTH <= width)
			break;
	}
	return columns;
}

/* ---- cells ---- */

static void
short_number(char *text, size_t size, double number)
{
	static const char units[] = " kMGTP";
	int unit = 0;

	while (number >= 1000 && units[unit + 1] != '\0') {
		number /= 1000;
		unit++;
	}
	if (unit == 0)
		snprintf(text, size, "%.0f", number);
	else
		snprintf(text, size, "%.*f%c", number < 100 ? 1 : 0, number, units[unit]);
}

static void
short_time(char *text, size_t size, double seconds)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double number = seconds * 1e9;
	int unit = 0;

	while (number >= 999.5 && unit < 3) {
		number /= 1000;
		unit++;
	}
	snprintf(text, size, "%.*f %s", number < 9.95 && unit > 0 ? 1 : 0, number, units[unit]);
}

void
table_number(char *text, size_t size, enum table_kind kind, double number)
{
	if (isnan(number))
		snprintf(text, size, "-");
	else if (kind == TABLE_SHORT)
		short_number(text, size, number);
	else if (kind == TABLE_PERCENT)
		snprintf(text, size, "%.0f%%", 100 * number);
	else if (kind == TABLE_MILLISECONDS)
		snprintf(text, size, "%.1f", number);
	else if (kind == TABLE_TIME)
		short_time(text, size, number);
	else
		snprintf(text, size, "%.0f", number);
}

/* Cuts a text that is longer than its column. The cut is between characters of UTF-8. */
static void
cut(char *text, size_t width)
{
	size_t end = width - 1;

	if (strlen(text) <= width)
		return;
	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	strcpy(text + end, "~");
}

#define CELL_SIZE 96

static void
write_cell(char cell[CELL_SIZE], const struct table_column *column, const struct table_line *line,
	bool is_cut)
{
	if (column->kind == TABLE_TEXT)
		column->text(cell, CELL_SIZE, line);
	else
		table_number(cell, CELL_SIZE, column->kind, column->value(line));
	if (is_cut)
		cut(cell, (size_t)abs(column->width));
}

/* Appends a cell, and returns the length of the text; the text of the last one has no blanks behind
 * it. */
static size_t
append(char *text, size_t size, size_t length, const struct table_column *column, const char *cell)
{
	int gap = length > 0 ? column->gap : 0;

	if (length < size)
		snprintf(text + length, size - length, "%*s%*s", gap, "", column->width, cell);
	return length + strlen(text + length);
}

static void
trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && text[length - 1] == ' ')
		text[--length] = '\0';
}

void
table_heading(char *text, size_t size, const struct table *table, table_columns columns)
{
	bool has_rates = (columns & TABLE_UNCUT) == 0;
	size_t length = 0;
	unsigned left = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < table->count; i++) {
		const struct table_column *column = &table->columns[i];
		bool is_rate = has_rates && column->rate_heading != NULL;

		if (has(columns, i))
			length = append(text, size, length, column,
				is_rate ? column->rate_heading : column->heading);
		else
			left += has_rates;
	}
	if (left > 0 && length < size)
		snprintf(text + length, size - length, " +%u", left);
	trim(text);
}

void
table_write(char *text, size_t size, const struct table *table, table_columns columns,
	const struct table_line *line)
{
	size_t length = 0;
	char cell[CELL_SIZE];

	text[0] = '\0';
	for (unsigned i = 0; i < table->count; i++) {
		if (!has(columns, i))
			continue;
		write_cell(cell, &table->columns[i], line, (columns & TABLE_UNCUT) == 0);
		length = append(text, size, length, &table->columns[i], cell);
	}
	trim(text);
}

/* ---- order ---- */

/* No number is less than any. */
static double
number_of(const struct table_column *column, const struct table_line *line)
{
	double number = column->value(line);

	return isnan(number) ? -INFINITY : number;
}

int
table_compare(
	const struct table_column *column, const struct table_line *a, const struct table_line *b)
{
	char text[CELL_SIZE], other[CELL_SIZE];
	int result;

	write_cell(text, column, a, false);
	write_cell(other, column, b, false);
	if (column->kind == TABLE_TEXT)
		result = strcmp(text, other);
	else
		result = (number_of(column, a) < number_of(column, b)) -
			 (number_of(column, a) > number_of(column, b));
	return result != 0 ? result : (a->order > b->order) - (a->order < b->order);
}
