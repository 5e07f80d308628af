#include "master/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

#define KIBI 1024.0

static const struct unit number_units[] = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9},
	{"Ki", KIBI}, {"Mi", KIBI *KIBI}, {"Gi", KIBI *KIBI *KIBI}, {NULL, 0}};
static const struct unit size_units[] = {{"", 1}, {"K", KIBI}, {"M", KIBI *KIBI},
	{"G", KIBI *KIBI *KIBI}, {"Ki", KIBI}, {"Mi", KIBI *KIBI}, {"Gi", KIBI *KIBI *KIBI},
	{NULL, 0}};
static const struct unit time_units[] = {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9},
	{"m", 60e9}, {"h", 3600e9}, {NULL, 0}};

static bool
read_with_unit(const char *text, const struct unit *units, double *value)
{
	size_t digits = strspn(text, "0123456789.");
	char *end;
	double number;

	/* strtod also reads blanks, signs, hexadecimal and words. */
	if (digits == 0 || (text[digits] != '\0' && strchr("xXeEpP", text[digits]) != NULL))
		return false;
	number = strtod(text, &end);
	if (end == text)
		return false;
	for (; units->name != NULL; units++)
		if (strcmp(end, units->name) == 0) {
			*value = number * units->factor;
			return true;
		}
	return false;
}

bool
values_read_number(const char *text, double *number)
{
	double value;

	if (!read_with_unit(text, number_units, &value) || value > 1e18)
		return false;
	*number = value;
	return true;
}

bool
values_read_size(const char *text, uint64_t *bytes)
{
	double value;

	if (!read_with_unit(text, size_units, &value) || value > 1e18 || value != floor(value))
		return false;
	*bytes = (uint64_t)value;
	return true;
}

bool
values_read_time(const char *text, int64_t *nanoseconds)
{
	double value;

	if (!read_with_unit(text, time_units, &value) || value > 9e18)
		return false;
	*nanoseconds = (int64_t)llround(value);
	return true;
}

const char *
values_write_size(char text[static VALUES_TEXT_SIZE], uint64_t bytes)
{
	static const char units[] = "KMG";
	unsigned long long number = bytes;
	size_t unit = 0;

	for (; number != 0 && number % 1024 == 0 && unit < strlen(units); unit++)
		number /= 1024;
	snprintf(text, VALUES_TEXT_SIZE, "%llu%.*s", number, unit > 0, &units[unit - (unit > 0)]);
	return text;
}

const char *
values_write_time(char text[static VALUES_TEXT_SIZE], int64_t nanoseconds)
{
	static const char *const units[] = {"ns", "us", "ms", ""};
	long long number = nanoseconds;
	size_t unit = 0;

	for (; number % 1000 == 0 && unit < 3; unit++)
		number /= 1000;
	snprintf(text, VALUES_TEXT_SIZE, "%lld%s", number, units[unit]);
	return text;
}
