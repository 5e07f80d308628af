#include "master/base/values.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(values, numbers_are_read_with_powers_of_1000_and_1024)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = {{"0", 0}, {"200", 200}, {"1.5k", 1500}, {"50k", 50000}, {"2M", 2e6},
		{"1G", 1e9}, {"64Ki", 65536}, {"4Mi", 4194304}, {"0.5", 0.5}, {".5", 0.5}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double value = -1;

		cr_assert(values_read_number(cases[i].text, &value), "%s", cases[i].text);
		cr_assert_float_eq(value, cases[i].value, 1e-9, "%s", cases[i].text);
	}
}

Test(values, what_is_no_number_is_refused_and_changes_nothing)
{
	static const char *const cases[] = {"", ".", "k", "-1", "+1", " 1", "1 ", "1kk", "0x10",
		"1e5", "inf", "nan", "5s", "1K1", "1e400", "1.2.3"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double value = 7;

		cr_assert_not(values_read_number(cases[i], &value), "'%s'", cases[i]);
		cr_assert_eq(value, 7);
	}
}

Test(values, whole_numbers_are_read_exactly)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {{"0", 0}, {"9007199254740993", 9007199254740993}, {"1.5k", 1500},
		{"9223372036854775807", INT64_MAX}, {"18446744073709551615", UINT64_MAX},
		{"18446744073709551.615k", UINT64_MAX}, {"9007199254.740993M", 9007199254740993},
		{"1.000000000000000000000", 1}, {"2.", 2}};
	static const char *const wrong[] = {"1.5", "18446744073709551616", "18446744073709551.616k",
		"18446744073709552k", "1.0000000000000000000001", ".", "k"};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t value = 7;

		cr_assert(values_read_whole(cases[i].text, &value), "%s", cases[i].text);
		cr_assert_eq(value, cases[i].value, "%s", cases[i].text);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		uint64_t value = 7;

		cr_assert_not(values_read_whole(wrong[i], &value), "%s", wrong[i]);
		cr_assert_eq(value, 7);
	}
}

Test(values, digits_are_read_up_to_what_follows_them)
{
	uint64_t number = 7;

	cr_assert_str_eq(values_read_digits("12x4", 12, &number), "x4");
	cr_assert_eq(number, 12);
	cr_assert_str_empty(values_read_digits("18446744073709551615", UINT64_MAX, &number));
	cr_assert_eq(number, UINT64_MAX);
	cr_assert_null(values_read_digits("13", 12, &number));
	cr_assert_null(values_read_digits("18446744073709551616", UINT64_MAX, &number));
	cr_assert_null(values_read_digits("-1", 12, &number));
	cr_assert_null(values_read_digits("", 12, &number));
	cr_assert_eq(number, UINT64_MAX);
}

Test(values, a_pair_is_of_digits_alone)
{
	static const char *const wrong[] = {"", "x", "2", "2x", "x4", "2x4x", "2x4 ", " 2x4",
		"+2x4", "2x-4", "2y4", "10x1", "1x10", "4294967298x1", "2x18446744073709551617"};
	unsigned first = 0, second = 0;

	cr_assert(values_read_pair("2x9", 'x', 9, &first, &second));
	cr_assert(first == 2 && second == 9);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not(
			values_read_pair(wrong[i], 'x', 9, &first, &second), "'%s'", wrong[i]);
	cr_assert(first == 2 && second == 9);
}

Test(values, a_percentage_is_a_number_with_its_sign)
{
	static const char *const wrong[] = {
		"", "%", "5", "-5%", "inf%", "nan%", "0x5%", "1e3%", "5%%", " 5%"};
	double share = 7;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert_not(values_read_percentage(wrong[i], &share), "'%s'", wrong[i]);
	cr_assert_eq(share, 7);
	cr_assert(values_read_percentage("0.5%", &share));
	cr_assert_float_eq(share, 0.005, 1e-9);
}

Test(values, sizes_are_whole_bytes)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {{"0", 0}, {"4096", 4096}, {"64K", 65536}, {"1.5K", 1536}, {"64Ki", 65536},
		{"1M", 1 << 20}, {"1G", 1 << 30}};
	uint64_t size = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t value = 7;

		cr_assert(values_read_size(cases[i].text, &value), "%s", cases[i].text);
		cr_assert_eq(value, cases[i].value, "%s", cases[i].text);
	}
	cr_assert_not(values_read_size("0.5", &(uint64_t){0}));
	cr_assert(values_read_size("9007199254740993", &size));
	cr_assert_eq(size, 9007199254740993);
	cr_assert_not(values_read_size("64Q", &(uint64_t){0}));
	cr_assert_not(values_read_size("99999999999999G", &(uint64_t){0}));
}

Test(values, times_are_read_into_nanoseconds)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {{"10", 10000000000}, {"10s", 10000000000}, {"250ms", 250000000},
		{"80us", 80000}, {"1ns", 1}, {"1.5ms", 1500000}, {"5m", 300000000000},
		{"2h", 7200000000000}, {"0", 0}};
	int64_t time = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t value = -1;

		cr_assert(values_read_time(cases[i].text, &value), "%s", cases[i].text);
		cr_assert_eq(value, cases[i].value, "%s", cases[i].text);
	}
	cr_assert(values_read_time("9007199.254740993", &time));
	cr_assert_eq(time, 9007199254740993);
	cr_assert(values_read_time("0.6ns", &time));
	cr_assert_eq(time, 1);
	cr_assert_not(values_read_time("5k", &(int64_t){0}));
	cr_assert_not(values_read_time("99999999999h", &(int64_t){0}));
}

Test(values, what_is_written_reads_as_it_was)
{
	static const uint64_t few[] = {0, 1, 1000, 1024, 1000000000, 30000000000, 1500000000};
	char text[VALUES_TEXT_SIZE];

	srandom(1);
	for (int i = 0; i < 1000; i++) {
		uint64_t number = i < 7 ? few[i] : (uint64_t)random() << random() % 18;
		uint64_t size = 1;
		int64_t time = 1;

		cr_assert(values_read_size(values_write_size(text, number), &size));
		cr_assert_eq(size, number, "%s", text);
		cr_assert(values_read_time(values_write_time(text, (int64_t)number), &time));
		cr_assert_eq(time, (int64_t)number, "%s", text);
	}
	cr_assert_str_eq(values_write_size(text, 65536), "64K");
	cr_assert_str_eq(values_write_time(text, 30000000000), "30");
	cr_assert_str_eq(values_write_time(text, 250000000), "250ms");
}
