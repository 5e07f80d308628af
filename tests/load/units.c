#include "tests/load/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"

struct unit {
	const char *name;
	double factor;
};

static const struct unit count_units[] = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9},
	{"Ki", 1024}, {"Mi", 1024.0 * 1024}, {"Gi", 1024.0 * 1024 * 1024}, {NULL, 0}};
static const struct unit time_units[] = {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9},
	{"m", 60e9}, {"h", 3600e9}, {NULL, 0}};

const char *const units_time_names[UNITS_TIME_MAX] = {"auto", "us", "ms"};

static bool
read_number(const char *text, const struct unit *units, double *value)
{
	char *end;
	double number;

	/* strtod also reads blanks, signs, hexadecimal and words. */
	if ((*text < '0' || *text > '9') && *text != '.')
		return false;
	if (strchr("xXeEpP", text[strspn(text, "0123456789.")]) != NULL &&
		text[strspn(text, "0123456789.")] != '\0')
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
units_read_count(const char *text, double *value)
{
	double number;

	if (!read_number(text, count_units, &number) || number > 1e18)
		return false;
	*value = number;
	return true;
}

bool
units_read_time(const char *text, int64_t *nanoseconds)
{
	double number;

	if (!read_number(text, time_units, &number) || number > 9e18)
		return false;
	*nanoseconds = (int64_t)llround(number);
	return true;
}

const char *
units_write_time(char text[static UNITS_TEXT_SIZE], int64_t nanoseconds, enum units_time unit)
{
	double value = (double)nanoseconds;

	if (nanoseconds < 0)
		snprintf(text, UNITS_TEXT_SIZE, "-");
	else if (unit == UNITS_MICROSECONDS)
		snprintf(text, UNITS_TEXT_SIZE, "%.1fus", value / 1e3);
	else if (unit == UNITS_MILLISECONDS)
		snprintf(text, UNITS_TEXT_SIZE, "%.3fms", value / 1e6);
	else if (value < 1e3)
		snprintf(text, UNITS_TEXT_SIZE, "%.0fns", value);
	else if (value < 9950)
		snprintf(text, UNITS_TEXT_SIZE, "%.1fus", value / 1e3);
	else if (value < 999.5e3)
		snprintf(text, UNITS_TEXT_SIZE, "%.0fus", value / 1e3);
	else if (value < 99.95e6)
		snprintf(text, UNITS_TEXT_SIZE, "%.2fms", value / 1e6);
	else if (value < 999.5e6)
		snprintf(text, UNITS_TEXT_SIZE, "%.0fms", value / 1e6);
	else
		snprintf(text, UNITS_TEXT_SIZE, "%.2fs", value / 1e9);
	return text;
}

const char *
units_write_count(char text[static UNITS_TEXT_SIZE], double value)
{
	if (value < 999.5)
		snprintf(text, UNITS_TEXT_SIZE, "%.0f", value);
	else if (value < 999950)
		snprintf(text, UNITS_TEXT_SIZE, "%.1fk", value / 1e3);
	else
		snprintf(text, UNITS_TEXT_SIZE, "%.2fM", value / 1e6);
	return text;
}

const char *
units_write_whole(char text[static UNITS_TEXT_SIZE], uint64_t value)
{
	char digits[UNITS_TEXT_SIZE];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
	char *to = text;

	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*to++ = ' ';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *
units_write_bytes(char text[static UNITS_TEXT_SIZE], double bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t i = 0;

	for (; bytes >= 1023.5 && i < 5; i++)
		bytes /= 1024;
	snprintf(text, UNITS_TEXT_SIZE, bytes < 9.95 && i > 0 ? "%.1f %s" : "%.0f %s", bytes,
		names[i]);
	return text;
}
