#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/load/units.h"

Test(units, counts_are_read_with_powers_of_1000_and_1024)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = {{"0", 0}, {"200", 200}, {"1.5k", 1500}, {"50k", 50000}, {"2M", 2e6},
		{"1G", 1e9}, {"64Ki", 65536}, {"4Mi", 4194304}, {"0.5", 0.5}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double value = -1;

		cr_assert(units_read_count(cases[i].text, &value), "%s", cases[i].text);
		cr_assert_float_eq(value, cases[i].value, 1e-9, "%s", cases[i].text);
	}
}

Test(units, what_is_no_number_is_refused_and_changes_nothing)
{
	static const char *const cases[] = {"", "k", "-1", "+1", " 1", "1 ", "1kk", "0x10", "1e5",
		"inf", "nan", "5s", "1K1", "1e400"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double value = 7;

		cr_assert_not(units_read_count(cases[i], &value), "'%s'", cases[i]);
		cr_assert_eq(value, 7);
	}
}

Test(units, times_are_read_into_nanoseconds)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {{"10", 10000000000}, {"10s", 10000000000}, {"250ms", 250000000},
		{"80us", 80000}, {"1ns", 1}, {"1.5ms", 1500000}, {"5m", 300000000000},
		{"2h", 7200000000000}, {"0", 0}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t value = -1;

		cr_assert(units_read_time(cases[i].text, &value), "%s", cases[i].text);
		cr_assert_eq(value, cases[i].value, "%s", cases[i].text);
	}
	cr_assert_not(units_read_time("5k", &(int64_t){0}));
	cr_assert_not(units_read_time("99999999999h", &(int64_t){0}));
}

static void
expect_time(int64_t value, enum units_time unit, const char *expected)
{
	char text[UNITS_TEXT_SIZE];

	cr_assert_str_eq(units_write_time(text, value, unit), expected);
}

Test(units, times_are_written_in_the_unit_that_fits)
{
	expect_time(-1, UNITS_AUTO, "-");
	expect_time(0, UNITS_AUTO, "0ns");
	expect_time(999, UNITS_AUTO, "999ns");
	expect_time(4200, UNITS_AUTO, "4.2us");
	expect_time(42000, UNITS_AUTO, "42us");
	expect_time(1100000, UNITS_AUTO, "1.10ms");
	expect_time(999600, UNITS_AUTO, "1.00ms");
	expect_time(123000000, UNITS_AUTO, "123ms");
	expect_time(2500000000, UNITS_AUTO, "2.50s");
	expect_time(2500000, UNITS_MICROSECONDS, "2500.0us");
	expect_time(2500000, UNITS_MILLISECONDS, "2.500ms");
}

Test(units, numbers_are_written_for_people)
{
	char text[UNITS_TEXT_SIZE];

	cr_assert_str_eq(units_write_count(text, 950), "950");
	cr_assert_str_eq(units_write_count(text, 200000), "200.0k");
	cr_assert_str_eq(units_write_count(text, 999960), "1.00M");
	cr_assert_str_eq(units_write_whole(text, 0), "0");
	cr_assert_str_eq(units_write_whole(text, 5998926), "5 998 926");
	cr_assert_str_eq(units_write_whole(text, UINT64_MAX), "18 446 744 073 709 551 615");
	cr_assert_str_eq(units_write_bytes(text, 512), "512 B");
	cr_assert_str_eq(units_write_bytes(text, 1536), "1.5 KiB");
	cr_assert_str_eq(units_write_bytes(text, 366 * 1048576.0), "366 MiB");
}
