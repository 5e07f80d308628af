/* Which words of a format are fields, and that each argument is printed as printf(3) does. */
#include "worker/log_words.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "tests/support/comma.h"

static struct log_words words;

static void __attribute__((format(printf, 1, 2))) split(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_words(&words, format, arguments);
	va_end(arguments);
}

/* The message and the fields: "message|name:value|name#number". */
static const char *
found(void)
{
	static char text[8192];
	int length = snprintf(text, sizeof text, "%.*s", (int)words.length, words.message);

	for (size_t i = 0; i < words.field_count; i++)
		length += snprintf(text + length, sizeof text - (size_t)length, "|%.*s%c%.*s",
			(int)words.fields[i].name_length, words.fields[i].name,
			words.fields[i].is_number ? '#' : ':', (int)words.fields[i].length,
			words.fields[i].value);
	return text;
}

#define EXPECT_WORDS(expected, ...)                                                                \
	do {                                                                                       \
		split(__VA_ARGS__);                                                                \
		cr_expect_str_eq(found(), expected);                                               \
	} while (0)

Test(log_words, a_name_with_a_conversion_is_a_field)
{
	EXPECT_WORDS("stored|key:a b|bytes#12", "stored key=%s bytes=%zu", "a b", (size_t)12);
	EXPECT_WORDS("stored it now|key:a", "stored key=%s it now", "a");
	EXPECT_WORDS("|key:a", "key=%s", "a");
	EXPECT_WORDS("|_a1:", "_a1=%s", "");
	EXPECT_WORDS("done 3 of 4", "done %d of %d", 3, 4);
	EXPECT_WORDS("", "%s", "");
	/* What is printed makes no fields. */
	EXPECT_WORDS("said a=b c=d", "said %s", "a=b c=d");
	/* A negative precision is none, a negative width a flag. */
	EXPECT_WORDS("|a:text|b:te|c:x  ", "a=%.*s b=%.*s c=%*s", -1, "text", 2, "text", -3, "x");
	EXPECT_WORDS("|a:x y=z|b:w", "a=%s b=%s", "x y=z", "w");
}

Test(log_words, other_words_are_the_message)
{
	EXPECT_WORDS("rate=3%", "rate=%d%%", 3);
	EXPECT_WORDS("(key=a)", "(key=%s)", "a");
	EXPECT_WORDS("x-key=a", "x-key=%s", "a");
	EXPECT_WORDS("1st=a", "1st=%s", "a");
	EXPECT_WORDS("a=b =c", "a=b =%s", "c");
	EXPECT_WORDS("size=3KB and 4", "size=%dKB and %d", 3, 4);
	EXPECT_WORDS("100% of it ", "100%% of it ");
}

Test(log_words, each_argument_is_printed_by_its_own_type)
{
	long double third = 1.0L / 3;
	char expected[512];

	snprintf(expected, sizeof expected,
		"|a#%d|b#%hhd|c#%hu|d#%ld|e#%lld|f#%" PRIdMAX "|g#%zu|h#%td|i:%#x|j:%o|k#%u",
		INT_MIN, (signed char)-1, (unsigned short)65535, LONG_MIN, LLONG_MIN, INTMAX_MAX,
		SIZE_MAX, (ptrdiff_t)-3, 255U, 8U, UINT_MAX);
	split("a=%d b=%hhd c=%hu d=%ld e=%lld f=%" PRIdMAX " g=%zu h=%td i=%#x j=%o k=%u", INT_MIN,
		(signed char)-1, (unsigned short)65535, LONG_MIN, LLONG_MIN, INTMAX_MAX, SIZE_MAX,
		(ptrdiff_t)-3, 255U, 8U, UINT_MAX);
	cr_expect_str_eq(found(), expected);
	snprintf(expected, sizeof expected, "|a#%g|b#%.20Lf|c:c|d:%p|e:wide|f#0007|g:   ab|h#%+.1e",
		0.1, third, (void *)&words, 1e300);
	split("a=%g b=%.20Lf c=%c d=%p e=%ls f=%0*d g=%*.*s h=%+.1e", 0.1, third, 'c',
		(void *)&words, L"wide", 4, 7, 5, 2, "abcdef", 1e300);
	cr_expect_str_eq(found(), expected);
}

Test(log_words, the_error_is_that_of_the_call)
{
	errno = ENOSPC;
	split("cannot write why=%m: %d of %m", 3);
	cr_expect_str_eq(
		found(), "cannot write why=No space left on device: 3 of No space left on device");
	errno = EAGAIN;
	split("why=%m");
	cr_expect_str_eq(found(), "|why:Resource temporarily unavailable");
}

/* More than 16: the others are text. */
Test(log_words, there_are_sixteen_fields_at_most)
{
	EXPECT_WORDS("q=17|a#1|b#2|c#3|d#4|e#5|f#6|g#7|h#8|i#9|j#10|k#11|l#12|m#13|n#14|o#15|p#16",
		"a=%d b=%d c=%d d=%d e=%d f=%d g=%d h=%d i=%d j=%d k=%d l=%d m=%d n=%d o=%d p=%d "
		"q=%d",
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
}

Test(log_words, what_is_too_long_is_cut)
{
	static char longer[3 * LOG_WORDS_VALUES];
	const struct log_field *first = words.fields, *second = first + 1;

	memset(longer, 'x', sizeof longer - 1);
	split("%s behind key=%s", longer, "a");
	cr_expect_eq(words.length, LOG_WORDS_MESSAGE - 1, "snprintf needs a byte for its NUL");
	cr_expect_eq(memcmp(words.message + words.length - 4, "x...", 4), 0);
	cr_expect_eq(words.field_count, 1, "it has bytes of its own");
	split("short key=%s next=%s", longer, "a");
	cr_expect_eq(words.length, 5);
	cr_expect_eq(first->length, LOG_WORDS_VALUES - 1);
	cr_expect_eq(memcmp(first->value + first->length - 4, "x...", 4), 0);
	cr_expect_eq(second->length, 1, "of the mark, what has room");
	split("key=%.*s next=%s", LOG_WORDS_VALUES - 3, longer, "abcdef");
	cr_expect_eq(first->length, LOG_WORDS_VALUES - 3, "it is whole");
	cr_expect_eq(second->length, 3);
	cr_expect_eq(memcmp(second->value, "...", 3), 0);
}

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-security"

Test(log_words, an_integer_may_have_the_length_of_a_long_double)
{
	EXPECT_WORDS("5000000000|a#-5000000000|b:x", "%Lu a=%Ld b=%s", 5000000000ULL, -5000000000LL,
		"x");
}

Test(log_words, a_format_that_cannot_be_followed_is_printed_as_it_is)
{
	int number = 1;

	EXPECT_WORDS("a 1 and %2$s of %s", "a %d and %2$s of %s", 1, "x");
	EXPECT_WORDS("done %n, %s", "done %n, %s", &number, "x");
	cr_expect_eq(number, 1);
	EXPECT_WORDS("50%", "50%", 1);
	EXPECT_WORDS("%000000000000000000000000000000000000000000000000000001d",
		"%000000000000000000000000000000000000000000000000000001d", 1);
}

/* A service may have set its locale; the program's is in force again behind each number. */
Test(log_words, numbers_have_a_point_and_no_groups_in_any_locale, .fini = comma_end)
{
	char after[16];

	if (!comma_begin())
		cr_skip_test("needs localedef and what it makes locales of");
	EXPECT_WORDS("took 1.5 s|rate#0.25|of#1234567|more#12.50",
		"took %.1f s rate=%g of=%'d more=%.2Lf", 1.5, 0.25, 1234567, 12.5L);
	snprintf(after, sizeof after, "%.1f", 1.5);
	cr_assert_str_eq(after, "1,5");
}
