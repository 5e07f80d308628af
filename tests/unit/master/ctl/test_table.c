#include "master/ctl/table.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void
name(char *text, size_t size, const struct table_line *line)
{
	snprintf(text, size, "%s", line->name);
}

static double
number(const struct table_line *line)
{
	return line->seconds;
}

enum { NAME, A, B, C };

static const struct table_column columns[] = {
	{"NAME", NULL, "", 0, -5, 0, TABLE_TEXT, name, NULL},
	{"A", "A/s", "", 2, 5, 1, TABLE_SHORT, NULL, number},
	{"B", NULL, "", 2, 4, 3, TABLE_PERCENT, NULL, number},
	{NULL, "C", "", 2, 6, 2, TABLE_TIME, NULL, number},
};
static const struct table table = {columns, 4};
static char text[64];

TestSuite(columns, .timeout = 60);

static const char *
heading(int width)
{
	table_heading(text, sizeof text, &table, table_fit(&table, width));
	return text;
}

/* By rank, and the sign needs room, too. */
Test(columns, leaves_out_the_least_important_columns)
{
	cr_assert_str_eq(heading(100), "NAME     A/s     B       C");
	cr_assert_str_eq(heading(26), "NAME     A/s     B       C");
	cr_assert_str_eq(heading(25), "NAME     A/s       C +1");
	cr_assert_str_eq(heading(23), "NAME     A/s +2");
	cr_assert_str_eq(heading(15), "NAME  +3");
	cr_assert_str_eq(heading(1), "NAME  +3", "what has rank 0 stays");
}

Test(columns, without_rates_has_other_columns)
{
	table_heading(text, sizeof text, &table, table_all(&table));
	cr_assert_str_eq(text, "NAME       A     B");
}

static const char *
line_of(const char *word, double value, table_columns shown)
{
	struct table_line line = {.name = word, .seconds = value};

	table_write(text, sizeof text, &table, shown, &line);
	return text;
}

Test(columns, no_cell_runs_into_its_neighbour)
{
	table_columns all = table_fit(&table, 100);

	cr_assert_str_eq(line_of("name", .5, all), "name       0   50%  500 ms");
	cr_assert_str_eq(line_of("a long name", 32000, all), "a lo~  32.0k  320~  32000~");
	/* Between characters. */
	cr_assert_str_eq(line_of("\303\244\303\266\303\274", NAN, all),
		"\303\244\303\266~      -     -       -");
	cr_assert_str_eq(line_of("name", NAN, all), "name       -     -       -");
	cr_assert_str_eq(line_of("a long name", 1, table_all(&table)), "a long name      1  100%");
	/* The room ends before the line. */
	table_write(text, 8, &table, all, &(struct table_line){.name = "name"});
	cr_assert_leq(strlen(text), 7);
}

Test(columns, sorts_by_number_and_text)
{
	struct table_line a = {.name = "a", .seconds = 1}, b = {.name = "b", .seconds = 2};

	b.order = 1;
	cr_assert_lt(table_compare(&columns[NAME], &a, &b), 0);
	cr_assert_gt(table_compare(&columns[A], &a, &b), 0, "the larger first");
	a.seconds = b.seconds = NAN;
	cr_assert_lt(table_compare(&columns[A], &a, &b), 0, "as they came");
	b.seconds = -1;
	cr_assert_gt(table_compare(&columns[A], &a, &b), 0, "no number is the least");
}
