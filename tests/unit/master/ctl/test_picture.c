#include "master/ctl/picture.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROWS_MOST 64

static struct picture picture;
static struct screen_line lines[ROWS_MOST];
static json_t *state;

/* A server of 30 hubs, of which each has one connection more than the one before. */
static void
begin(void)
{
	json_t *hubs = json_array();

	for (int i = 0; i < 30; i++)
		json_array_append_new(hubs,
			json_pack("{s:i, s:i, s:b}", "hub", i, "connections", i, "hung", i == 17));
	state = json_pack("{s:s, s:s, s:i, s:i, s:[{s:i, s:i, s:s, s:o}], s:[{s:i, s:s}]}", "name",
		"a-service-with-a-name", "phase", "serving", "pid", 4711, "connections", 435,
		"workers", "worker", 0, "pid", 4712, "state", "ready", "hubs", hubs, "events",
		"time", 0, "text", "what has happened");
	cr_assert_not_null(state);
	setenv("TZ", "UTC", 1);
}

static void
end(void)
{
	json_decref(state);
}

TestSuite(picture, .init = begin, .fini = end, .timeout = 60);

static const char *
row(unsigned index)
{
	return lines[index].text;
}

static enum screen_look
look(unsigned index)
{
	return lines[index].look;
}

/* Composes it, and expects that no line is wider. */
static void
compose(unsigned rows, int width)
{
	picture_compose(&picture, lines, rows, width, state, NULL, 1);
	for (unsigned i = 0; i < rows; i++)
		cr_assert_leq((int)strlen(row(i)), width, "%ux%d: %s", rows, width, row(i));
}

static void
press(const char *keys)
{
	for (; *keys != '\0'; keys++)
		cr_assert(picture_key(&picture, *keys));
}

Test(picture, fits_a_small_screen)
{
	compose(10, 40);
	cr_assert_str_eq(row(0), "a-service-with-a-name  serving  pid 4711");
	cr_assert_str_eq(row(1), "connections 435 of 0  new/s -  in/s -");
	cr_assert_str_eq(row(2), "WORKER STATE        HUB  CONNS  BUSY +6");
	cr_assert_str_eq(row(3), "     0 ready          0      0    0%");
	cr_assert_str_eq(row(8), "     0 ready          5      5    0%");
	cr_assert_str_eq(row(9), "q quit  h help  1 to 6 of 33");
	for (unsigned rows = 0; rows < 40; rows++)
		for (int width = 1; width < 120; width++)
			compose(rows, width);
}

Test(picture, shows_all_on_a_large_one)
{
	compose(60, 120);
	cr_assert_str_eq(row(2), "");
	cr_assert_eq(look(3), SCREEN_HEADING);
	cr_assert_eq(look(21), SCREEN_BOLD, "the hung one");
	cr_assert_not_null(strstr(row(21), "hung"), "%s", row(21));
	cr_assert_not_null(strstr(row(33), "    #..................."), "%s", row(33));
	cr_assert_str_eq(row(36), "00:00:00  what has happened");
	cr_assert_str_eq(row(59), "q quit  h help");
}

/* Below the heading of what is shown. */
Test(picture, scrolls_to_the_end_and_back)
{
	press("jjj ");
	compose(10, 40);
	cr_assert_str_eq(row(2), "WORKER STATE        HUB  CONNS  BUSY +6");
	cr_assert_str_eq(row(3), "     0 ready         13     13    0%");
	cr_assert_str_eq(row(9), "q quit  h help  14 to 19 of 33");
	press("               ");
	compose(10, 40);
	cr_assert_str_eq(row(8), "00:00:00  what has happened");
	cr_assert_str_eq(row(9), "q quit  h help  28 to 33 of 33");
	press("kbbbbbb");
	compose(10, 40);
	cr_assert_str_eq(row(3), "     0 ready          0      0    0%");
}

Test(picture, sorts_by_a_column)
{
	press(">>>>>");
	compose(10, 40);
	cr_assert_str_eq(row(3), "     0 ready         29     29    0%");
	cr_assert_str_eq(row(9), "q quit  h help  1 to 6 of 33  by CONNS");
	press("r");
	compose(10, 60);
	cr_assert_not_null(strstr(row(3), " 0      0 "), "%s", row(3));
	cr_assert_not_null(strstr(row(9), "by CONNS  reversed"), "%s", row(9));
	press("<<<<<");
	compose(10, 60);
	cr_assert_not_null(strstr(row(3), " 29     29 "), "the server's order, reversed");
	press("<>r");
	compose(10, 60);
	cr_assert_not_null(strstr(row(3), " 0      0 "), "%s", row(3));
}

Test(picture, shows_what_has_a_text)
{
	press("/hug\bnG\b");
	compose(24, 80);
	cr_assert_str_eq(row(23), "filter: hun_");
	cr_assert_not_null(strstr(row(4), "hung"), "%s", row(4));
	cr_assert_str_eq(row(5), "");
	press("\n");
	compose(24, 80);
	cr_assert_str_eq(row(23), "q quit  h help  with \"hun\"");
	press("/qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\n");
	compose(24, 80);
	cr_assert_not_null(strstr(row(4), "no line has \"hunqqq"), "%s", row(4));
	press("/\033");
	compose(24, 80);
	cr_assert_str_eq(row(23), "q quit  h help  1 to 19 of 33");
}

Test(picture, has_help)
{
	press("h");
	compose(40, 80);
	cr_assert_str_eq(row(3), "KEYS (any key ends this help)");
	compose(10, 40);
	press("x");
	compose(10, 40);
	cr_assert_str_eq(row(2), "WORKER STATE        HUB  CONNS  BUSY +6");
	cr_assert_not(picture_key(&picture, 'q'));
}
