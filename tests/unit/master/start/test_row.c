#include "master/start/row.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A field of each kind and size. */
struct fields {
	bool flag;
	unsigned number;
	uint64_t large;
	size_t size;
	int64_t duration;
	bool choice;
	unsigned word;
	const char *string;
	struct hubbub_list list;
};

#define FIELD(member) HUBBUB_FIELD(struct fields, member)

static const char *const words[] = {"red", "green", "blue"};
static const char *const automatic[] = {"auto"};
static const char *const spins[] = {"off", "auto"};

enum { FLAG, NUMBER, LARGE, SIZE, DURATION, CHOICE, WORD, STRING, LIST, ROWS };

static const struct hubbub_option rows[ROWS] = {
	[FLAG] = {.name = "flag", .help = "A flag", .kind = HUBBUB_FLAG, FIELD(flag)},
	[NUMBER] = {.name = "number",
		.values = "N",
		.help = "A number",
		.kind = HUBBUB_NUMBER,
		FIELD(number),
		.least = 2,
		.most = 9,
		HUBBUB_WORDS(automatic),
		.standard = "auto"},
	[LARGE] = {.name = "large",
		.values = "N",
		.help = "A large one",
		.kind = HUBBUB_NUMBER,
		FIELD(large)},
	[SIZE] = {.name = "size",
		.values = "SIZE",
		.help = "A size",
		.kind = HUBBUB_SIZE,
		FIELD(size),
		.least = 1024,
		.most = 1 << 20,
		.standard = "4K"},
	[DURATION] = {.name = "duration",
		.values = "S",
		.help = "A time",
		.kind = HUBBUB_DURATION,
		FIELD(duration),
		.most = (uint64_t)10 * 1000000000,
		.standard = "0",
		.note = "0: never"},
	[CHOICE] = {.name = "choice",
		.values = "red|green|blue",
		.help = "A bool",
		.kind = HUBBUB_CHOICE,
		FIELD(choice),
		.words = words,
		.word_count = 2},
	[WORD] = {.name = "word",
		.values = "red|green|blue",
		.help = "A word",
		.kind = HUBBUB_CHOICE,
		FIELD(word),
		HUBBUB_WORDS(words)},
	[STRING] = {.name = "string",
		.values = "TEXT",
		.help = "A text",
		.kind = HUBBUB_STRING,
		FIELD(string),
		.least = 1,
		.most = 5,
		.note = "none"},
	[LIST] = {.name = "list",
		.values = "ITEM",
		.help = "Items",
		.kind = HUBBUB_LIST,
		FIELD(list),
		.most = 2},
};

static struct fields fields;
static char why[256];

static bool
reads(int row, const char *text)
{
	return row_read(&rows[row], &fields, text, why, sizeof why);
}

Test(row, both_ends_of_a_range_are_within_and_what_is_beyond_is_not)
{
	static const struct {
		int row;
		const char *within[2];
		const char *beyond[2];
		const char *range;
	} cases[] = {
		{NUMBER, {"2", "9"}, {"1", "10"}, "a whole number from 2 to 9 or 'auto'"},
		{SIZE, {"1K", "1M"}, {"1023", "1048577"}, "a size from 1K to 1M"},
		{DURATION, {"0", "10s"}, {"10.000000001", "11"}, "seconds from 0 to 10"},
		{STRING, {"a", "abcde"}, {"", "abcdef"}, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (int end = 0; end < 2; end++) {
			cr_assert(reads(cases[i].row, cases[i].within[end]), "%s", why);
			cr_assert_not(reads(cases[i].row, cases[i].beyond[end]), "%s",
				cases[i].beyond[end]);
			cr_assert_not_null(strstr(why, cases[i].range), "%s", why);
		}
}

Test(row, garbage_is_refused_and_changes_nothing)
{
	static const char *const garbage[] = {"", "x", "-1", "+1", " 3", "3 ", "0x3", "1e1",
		"3.5.1", "99999999999999999999999999", "nan", "inf", "4Q"};

	cr_assert(reads(NUMBER, "3") && reads(SIZE, "2K") && reads(DURATION, "3") &&
		  reads(WORD, "blue") && reads(CHOICE, "green"));
	for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
		for (int row = NUMBER; row <= WORD; row++)
			if (row != LARGE)
				cr_assert_not(reads(row, garbage[i]), "%s: %s", rows[row].name,
					garbage[i]);
	cr_assert_not(reads(NUMBER, "3.5"));
	cr_assert_not(reads(CHOICE, "blue"), "it has two words");
	cr_assert_not(reads(FLAG, "maybe"));
	cr_assert_eq(fields.number, 3);
	cr_assert_eq(fields.size, 2048);
	cr_assert_eq(fields.duration, 3000000000);
	cr_assert_eq(fields.word, 2);
	cr_assert_eq(fields.choice, true);
}

Test(row, a_number_fits_its_field)
{
	struct hubbub_option narrow = rows[NUMBER];

	narrow.most = 0;
	cr_assert(row_read(&narrow, &fields, "4294967295", why, sizeof why));
	cr_assert_eq(fields.number, UINT32_MAX);
	cr_assert_not(row_read(&narrow, &fields, "4294967296", why, sizeof why));
	cr_assert(reads(LARGE, "4294967296"));
	cr_assert_eq(fields.large, (uint64_t)1 << 32);
	cr_assert(reads(LARGE, "9007199254740993"));
	cr_assert_eq(fields.large, 9007199254740993);
	cr_assert(reads(LARGE, "9223372036854775807"), "%s", why);
	cr_assert_eq(fields.large, INT64_MAX);
	cr_assert_not(reads(LARGE, "9223372036854775808"));
	cr_assert_not_null(strstr(why, "from 0 to 9223372036854775807"), "%s", why);
	narrow.most = (uint64_t)1 << 32;
	cr_assert_not_null(row_fault(&narrow, true));
}

Test(row, a_word_may_stand_for_zero)
{
	char text[32];

	fields.number = 5;
	cr_assert(reads(NUMBER, "auto"));
	cr_assert_eq(fields.number, 0);
	cr_assert_str_eq(row_write(&rows[NUMBER], &fields, text, sizeof text), "auto");
}

Test(row, words_of_a_duration_stand_for_zero_and_one)
{
	static const struct hubbub_option row = {.name = "spin",
		.values = "auto|off|TIME",
		.help = "A time",
		.kind = HUBBUB_DURATION,
		FIELD(duration),
		.most = 1000,
		HUBBUB_WORDS(spins)};
	char text[32];

	cr_assert(row_read(&row, &fields, "auto", why, sizeof why));
	cr_assert_eq(fields.duration, 1);
	cr_assert_str_eq(row_write(&row, &fields, text, sizeof text), "auto");
	cr_assert(row_read(&row, &fields, "off", why, sizeof why));
	cr_assert_eq(fields.duration, 0);
	cr_assert_str_eq(row_write(&row, &fields, text, sizeof text), "off");
	cr_assert(row_read(&row, &fields, "1us", why, sizeof why));
	cr_assert_str_eq(row_write(&row, &fields, text, sizeof text), "1us");
	cr_assert_not(row_read(&row, &fields, "never", why, sizeof why));
	cr_assert_not_null(strstr(why, "or 'off' or 'auto'"), "%s", why);
}

Test(row, a_list_has_room_for_so_many)
{
	const char *last;

	cr_assert(reads(LIST, "a") && reads(LIST, "b"));
	last = fields.list.items[1];
	cr_assert_not(reads(LIST, "c"));
	cr_assert_not_null(strstr(why, "more than 2"), "%s", why);
	cr_assert_eq(fields.list.count, 2);
	cr_assert_str_eq(last, "b");
}

/* Two objects that differ in one field after the other. */
Test(row, each_kind_is_compared_and_written_as_json)
{
	static const char *const texts[ROWS] = {
		"on", "7", "7", "2K", "3ms", "green", "blue", "ab", "a"};
	struct fields same;

	fields = (struct fields){0};
	for (int row = 0; row < ROWS; row++) {
		json_t *before, *after;

		same = fields;
		cr_assert(row_is_same(&rows[row], &fields, &same), "%s", rows[row].name);
		before = row_json(&rows[row], &fields);
		cr_assert(reads(row, texts[row]), "%s", why);
		after = row_json(&rows[row], &fields);
		cr_assert_not(row_is_same(&rows[row], &fields, &same), "%s", rows[row].name);
		cr_assert_not(json_equal(before, after), "%s", rows[row].name);
		json_decref(before);
		json_decref(after);
	}
	same = fields;
	same.list.items[0] = "b";
	cr_assert_not(row_is_same(&rows[LIST], &fields, &same));
	same.string = strdup("ab");
	cr_assert(row_is_same(&rows[STRING], &fields, &same));
	free((char *)(uintptr_t)same.string);
}

Test(row, a_choice_is_its_word_as_json)
{
	json_t *json;

	cr_assert(reads(WORD, "green"), "%s", why);
	json = row_json(&rows[WORD], &fields);
	cr_assert(json_is_string(json));
	cr_assert_str_eq(json_string_value(json), "green");
	json_decref(json);
}

Test(row, a_string_that_is_no_utf_8_is_written_as_json_too)
{
	json_t *one, *other;

	cr_assert(reads(STRING, "/\xe9") && reads(LIST, "/\xe9"), "%s", why);
	one = row_json(&rows[STRING], &fields);
	fields.string = "/\xe8";
	other = row_json(&rows[STRING], &fields);
	cr_assert_not_null(one);
	cr_assert(json_equal(one, one));
	cr_assert_not(json_equal(one, other));
	json_decref(other);
	other = row_json(&rows[LIST], &fields);
	cr_assert_eq(json_array_size(other), 1);
	cr_assert(json_equal(json_array_get(other, 0), one));
	json_decref(one);
	json_decref(other);
}

Test(row, help_tells_the_default_what_it_means_and_the_range)
{
	static const char *const expected[ROWS] = {"A flag", "A number (auto; 2 to 9)",
		"A large one", "A size (4K; 1K to 1M)", "A time (0: never)", "A bool", "A word",
		"A text (none)", "Items; may be repeated"};
	char text[128];

	for (int row = 0; row < ROWS; row++) {
		row_help(&rows[row], text, sizeof text);
		cr_assert_str_eq(text, expected[row]);
		cr_assert_null(row_fault(&rows[row], true), "%s", rows[row].name);
	}
}

static const char *
set(const char *value, void *context)
{
	(void)context;
	return strcmp(value, "right") == 0 ? NULL : "right";
}

Test(row, a_call_says_what_would_have_been_right)
{
	static const struct hubbub_option call = {
		.name = "call", .values = "V", .help = "", .set = set};

	cr_assert(row_read(&call, NULL, "right", why, sizeof why));
	cr_assert_not(row_read(&call, NULL, "wrong", why, sizeof why));
	cr_assert_str_eq(why, "'wrong' is not right");
	cr_assert_null(row_fault(&call, false));
}
