#include <criterion/criterion.h>

#include "master/start/row.h"

struct fields {
	unsigned number;
	bool choice;
	unsigned word;
};

#define FIELD(member) HUBBUB_FIELD(struct fields, member)

static const char *const words[] = {"red", "green", "blue"};

static const char *
set(const char *value, void *context)
{
	(void)value, (void)context;
	return NULL;
}

Test(row_fault, mistakes_of_who_wrote_a_row_are_told)
{
	static const struct hubbub_option wrong[] = {
		{.name = "-dash", .help = "x", .set = set},
		{.name = "with=sign", .help = "x", .set = set},
		{.name = "neither", .help = "x"},
		{.name = "both",
			.help = "x",
			.values = "N",
			.set = set,
			.kind = HUBBUB_NUMBER,
			FIELD(number)},
		{.name = "no-field", .help = "x", .values = "N", .kind = HUBBUB_NUMBER},
		{.name = "other-type",
			.help = "x",
			.values = "N",
			.kind = HUBBUB_DURATION,
			FIELD(number)},
		{.name = "no-words",
			.help = "x",
			.values = "N",
			.kind = HUBBUB_CHOICE,
			FIELD(word)},
		{.name = "three-words",
			.help = "x",
			.values = "N",
			.kind = HUBBUB_CHOICE,
			FIELD(choice),
			HUBBUB_WORDS(words)},
		{.name = "fixed-call", .help = "x", .set = set, .change = HUBBUB_FIXED},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not_null(row_fault(&wrong[i], true), "%s", wrong[i].name);
}

Test(row_fault, a_sound_row_has_none)
{
	static const struct hubbub_option row = {
		.name = "number", .help = "x", .values = "N", .kind = HUBBUB_NUMBER, FIELD(number)};

	cr_assert_null(row_fault(&row, true));
	cr_assert_not_null(row_fault(&row, false), "without an object");
}
