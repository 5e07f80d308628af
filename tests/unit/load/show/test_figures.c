#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/show/figures.h"

static char *text;

static void
draw(json_t *result)
{
	size_t length;
	FILE *page = open_memstream(&text, &length);

	cr_assert_not_null(result);
	figures_write(page, result, NULL);
	fclose(page);
	json_decref(result);
}

static void
end(void)
{
	free(text);
}

TestSuite(figures, .fini = end);

static json_t *
interval(double t, json_t *p99)
{
	return json_pack("{s:f, s:i, s:i, s:i, s:o, s:n, s:i, s:i, s:i, s:i}", "t", t, "offered",
		10, "achieved", 10, "p50", 50000, "p99", p99, "p99_9", "max", 90000, "errors", 0,
		"open", 1, "in_flight", 0);
}

Test(figures, nothing_is_drawn_of_nothing)
{
	draw(json_object());
	cr_assert_str_eq(text, "");
}

/* gnuplot writes a line as one path for as long as it is not interrupted: its moves are what counts
 * the lines. */
static unsigned
count_moves(const char *figure, const char *title)
{
	const char *at = strstr(figure, title);
	unsigned moves = 0;

	cr_assert_not_null(at, "%s", figure);
	at = strstr(at, "<path");
	cr_assert_not_null(at);
	for (const char *end = strstr(at, "</g>"); at < end; at++)
		moves += *at == 'M';
	return moves;
}

/* The runs of --repeat are no course of one run. */
Test(figures, two_runs_are_two_lines)
{
	unsigned one, two;

	draw(json_pack("{s:[o,o,o,o]}", "series", interval(1, json_null()),
		interval(2, json_null()), interval(3, json_null()), interval(4, json_null())));
	one = count_moves(text, ">p50<");
	free(text);
	draw(json_pack("{s:[o,o,o,o]}", "series", interval(1, json_null()),
		interval(2, json_null()), interval(1, json_null()), interval(2, json_null())));
	two = count_moves(text, ">p50<");
	cr_assert_eq(two, one + 1, "%u and %u: %s", one, two, text);
}

/* Without enough replies in an interval there is no p99, and gnuplot draws no empty plot. */
Test(figures, a_knee_needs_percentiles)
{
	json_t *ramp = json_pack("{s:{s:s}, s:[o,o,o]}", "config", "rate_shape", "1..10", "series",
		interval(1, json_null()), interval(2, json_null()), interval(3, json_null()));

	draw(ramp);
	cr_assert_not_null(strstr(text, "Response time over time"), "%s", text);
	cr_assert_null(strstr(text, "Throughput against p99"), "%s", text);
	cr_assert_null(strstr(text, "could not draw"), "%s", text);
	free(text);
	draw(json_pack("{s:{s:s}, s:[o,o,o]}", "config", "rate_shape", "1..10", "series",
		interval(1, json_integer(60000)), interval(2, json_integer(70000)),
		interval(3, json_integer(80000))));
	cr_assert_not_null(strstr(text, "Throughput against p99"), "%s", text);
	cr_assert_null(strstr(text, "could not draw"), "%s", text);
}
