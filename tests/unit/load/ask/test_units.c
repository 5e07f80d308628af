#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/load/ask/units.h"

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
