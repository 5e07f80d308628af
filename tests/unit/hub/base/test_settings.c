#include <criterion/criterion.h>
#include <stdlib.h>

#include "hub/base/settings.h"

Test(settings, numbers_within_limits_count_and_others_are_the_default)
{
	static const char *const wrong[] = {
		"", "x", "12x", "0", "101", "99999999999999999999", "-3"};

	unsetenv("HUBBUB_TEST");
	cr_assert_eq(setting_number("HUBBUB_TEST", 1, 100, 7), 7);
	setenv("HUBBUB_TEST", "12", 1);
	cr_assert_eq(setting_number("HUBBUB_TEST", 1, 100, 7), 12);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		setenv("HUBBUB_TEST", wrong[i], 1);
		cr_assert_eq(setting_number("HUBBUB_TEST", 1, 100, 7), 7, "\"%s\"", wrong[i]);
	}
	setenv("HUBBUB_TEST", "5s", 1);
	cr_assert_eq(setting_number("HUBBUB_TEST", 0, 100, 7), 7, "taken for 0");
}

Test(settings, sizes_have_a_unit_or_none)
{
	static const char *const wrong[] = {
		"K", "1KB", "1k", "0K", "2G", "9007199254740993K", "1 K"};

	setenv("HUBBUB_TEST", "65536", 1);
	cr_assert_eq(setting_size("HUBBUB_TEST", 1, 1 << 30, 7), 65536);
	setenv("HUBBUB_TEST", "512K", 1);
	cr_assert_eq(setting_size("HUBBUB_TEST", 1, 1 << 30, 7), 512 << 10);
	setenv("HUBBUB_TEST", "3M", 1);
	cr_assert_eq(setting_size("HUBBUB_TEST", 1, 1 << 30, 7), 3 << 20);
	setenv("HUBBUB_TEST", "1G", 1);
	cr_assert_eq(setting_size("HUBBUB_TEST", 1, 1 << 30, 7), 1 << 30);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		setenv("HUBBUB_TEST", wrong[i], 1);
		cr_assert_eq(setting_size("HUBBUB_TEST", 1, 1 << 30, 7), 7, "\"%s\"", wrong[i]);
	}
	setenv("HUBBUB_TEST", "12K", 1);
	cr_assert_eq(setting_number("HUBBUB_TEST", 1, 100000, 7), 7);
}

Test(settings, choices)
{
	static const char *const names[] = {"epoll", "poll", NULL};

	unsetenv("HUBBUB_TEST");
	cr_assert_eq(setting_choice("HUBBUB_TEST", names, 0), 0);
	setenv("HUBBUB_TEST", "poll", 1);
	cr_assert_eq(setting_choice("HUBBUB_TEST", names, 0), 1);
	setenv("HUBBUB_TEST", "select", 1);
	cr_assert_eq(setting_choice("HUBBUB_TEST", names, 0), 0);
}
