#include "master/start/layout.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct hubbub_option own[] = {
	{.name = "plain", .help = "x", .kind = HUBBUB_FLAG, .group = 1},
	{.name = "named", .help = "x", .kind = HUBBUB_FLAG, .also = "other", .group = 1},
	{.name = "rare", .letter = 'r', .help = "x", .kind = HUBBUB_FLAG, .group = 2},
	{0},
};
static const struct hubbub_option services[] = {
	{.name = "word", .values = "WORD", .help = "x", .kind = HUBBUB_STRING}, {0}};
static const struct argp_option headings[] = {{NULL, 0, NULL, 0, "A heading", 1}, {0}};
static const char *const first[] = {"plain", "named", NULL};

static char *items[] = {"program", NULL};
static struct arguments arguments = {.items = items, .count = 1};
static const struct table table = {.parts = {{own, NULL}, {services, NULL}},
	.extras = headings,
	.first = first,
	.arguments = &arguments};

/* The options' names, in sequence; those that the help does not show in parentheses. */
static const char *
names_of(const struct layout *layout)
{
	static char text[256];

	text[0] = '\0';
	for (const struct argp_option *each = layout->options;
		each->name != NULL || each->doc != NULL || each->key != 0; each++) {
		const char *name = each->name != NULL ? each->name : "-";
		bool is_hidden = (each->flags & OPTION_HIDDEN) != 0;

		snprintf(text + strlen(text), sizeof text - strlen(text),
			is_hidden ? "(%s) " : "%s ", name);
	}
	return text;
}

Test(layout, a_short_help_has_the_first_rows_and_all_of_the_services)
{
	struct layout layout;

	cr_assert(layout_make(&layout, &table));
	cr_assert_str_eq(names_of(&layout),
		"- plain named other rare word help (-) help-all usage version ");
	layout_shorten(&layout, &table);
	cr_assert_str_eq(names_of(&layout),
		"- plain named (other) (rare) word help (-) help-all usage version ");
	layout_free(&layout);
}

/* argp's key of the option of that name. */
static int
key_of(const struct layout *layout, const char *name)
{
	const struct argp_option *each = layout->options;

	while (each->name == NULL || strcmp(each->name, name) != 0)
		each++;
	return each->key;
}

/* The name of the row with that key. */
static const char *
name_of(int key, size_t *index)
{
	const struct hubbub_option *row = layout_find_key(&table, key, index);

	return row != NULL ? row->name : "none";
}

Test(layout, a_row_is_known_by_its_key)
{
	struct layout layout;
	size_t index = 0;

	cr_assert(layout_make(&layout, &table));
	cr_assert_str_eq(name_of(key_of(&layout, "word"), &index), "word");
	cr_assert_eq(index, 3);
	cr_assert_str_eq(name_of('r', &index), "rare");
	cr_assert_str_eq(name_of('x', &index), "none");
	layout_free(&layout);
}
