/* Numbers are taken apart as whole part, decimals and unit, and put together in integers: "0.1G"
 * must be exactly 100000000, and a double would lose digits of large times and sizes. Only
 * values_read_number returns a double. */
#include "master/base/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 18 /* decimal places that are kept */
#define PLACES_FACTOR 1000000000000000000ULL
#define TIME_MOST 9000000000000000000ULL

__extension__ typedef unsigned __int128 product;

struct unit {
	const char *name;
	uint64_t factor;
};

#define KIBI 1024ULL

static const struct unit number_units[] = {{"", 1}, {"k", 1000}, {"K", 1000}, {"M", 1000000},
	{"G", 1000000000}, {"Ki", KIBI}, {"Mi", KIBI *KIBI}, {"Gi", KIBI *KIBI *KIBI}, {NULL, 0}};
static const struct unit size_units[] = {{"", 1}, {"K", KIBI}, {"M", KIBI *KIBI},
	{"G", KIBI *KIBI *KIBI}, {"Ki", KIBI}, {"Mi", KIBI *KIBI}, {"Gi", KIBI *KIBI *KIBI},
	{NULL, 0}};
static const struct unit time_units[] = {{"", 1000000000}, {"ns", 1}, {"us", 1000}, {"ms", 1000000},
	{"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {NULL, 0}};

/* A number with its unit, taken apart. */
struct parts {
	uint64_t whole;
	uint64_t decimals; /* the digits after the point, in units of 10^-PLACES */
	bool has_more;     /* a digit other than 0 follows the PLACES that were kept */
	uint64_t factor;
};

const char *
values_read_digits(const char *text, uint64_t most, uint64_t *number)
{
	const char *rest = text;
	uint64_t value = 0;

	for (; *rest >= '0' && *rest <= '9'; rest++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *rest - '0', &value))
			return NULL;
	if (rest == text || value > most)
		return NULL;
	*number = value;
	return rest;
}

bool
values_read_plain(const char *text, uint64_t most, uint64_t *number)
{
	uint64_t value;
	const char *rest = values_read_digits(text, most, &value);

	if (rest == NULL || *rest != '\0')
		return false;
	*number = value;
	return true;
}

bool
values_read_pair(const char *text, char between, unsigned most, unsigned *first, unsigned *second)
{
	uint64_t one, other;
	const char *rest = values_read_digits(text, most, &one);

	if (rest == NULL || *rest != between || !values_read_plain(rest + 1, most, &other))
		return false;
	*first = (unsigned)one;
	*second = (unsigned)other;
	return true;
}

/* Reads the digits after the decimal point. Returns the text that follows them. */
static const char *
read_decimals(const char *text, struct parts *parts)
{
	unsigned count = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (count == PLACES) {
			parts->has_more = parts->has_more || *text != '0';
			continue;
		}
		parts->decimals = 10 * parts->decimals + (uint64_t)(*text - '0');
		count++;
	}
	for (; count < PLACES; count++)
		parts->decimals *= 10;
	return text;
}

/* Reads digits, a point and a unit, with nothing before, between or behind. Blanks, signs,
 * hexadecimal numbers and words such as "inf", which strtod reads, are refused. */
static bool
take_apart(const char *text, const struct unit *units, struct parts *parts)
{
	const char *rest = text;

	*parts = (struct parts){0};
	if (*text != '.' && (rest = values_read_digits(text, UINT64_MAX, &parts->whole)) == NULL)
		return false;
	if (*rest == '.') {
		if (rest == text && (text[1] < '0' || text[1] > '9'))
			return false;
		rest = read_decimals(rest + 1, parts);
	}
	for (; units->name != NULL; units++)
		if (strcmp(rest, units->name) == 0) {
			parts->factor = units->factor;
			return true;
		}
	return false;
}

/* Reads a whole number of the smallest unit. If rounds is false, a number that is not whole in that
 * unit is refused. */
static bool
read_whole(const char *text, const struct unit *units, bool rounds, uint64_t *number)
{
	struct parts parts;
	product decimals;
	uint64_t value;

	if (!take_apart(text, units, &parts))
		return false;
	decimals = (product)parts.decimals * parts.factor;
	if (!rounds && (parts.has_more || decimals % PLACES_FACTOR != 0))
		return false;
	decimals = (decimals + PLACES_FACTOR / 2) / PLACES_FACTOR;
	if (__builtin_mul_overflow(parts.whole, parts.factor, &value) ||
		__builtin_add_overflow(value, (uint64_t)decimals, &value))
		return false;
	*number = value;
	return true;
}

bool
values_read_number(const char *text, double *number)
{
	struct parts parts;
	double value;

	if (!take_apart(text, number_units, &parts))
		return false;
	value = strtod(text, NULL) * (double)parts.factor;
	if (value > 1e18)
		return false;
	*number = value;
	return true;
}

bool
values_read_percentage(const char *text, double *share)
{
	size_t length = strlen(text);
	char number[64];
	double percent;

	if (length < 2 || length >= sizeof number || text[length - 1] != '%')
		return false;
	memcpy(number, text, length - 1);
	number[length - 1] = '\0';
	if (!values_read_number(number, &percent))
		return false;
	*share = percent / 100;
	return true;
}

bool
values_read_whole(const char *text, uint64_t *number)
{
	return read_whole(text, number_units, false, number);
}

bool
values_read_size(const char *text, uint64_t *bytes)
{
	return read_whole(text, size_units, false, bytes);
}

bool
values_read_time(const char *text, int64_t *nanoseconds)
{
	uint64_t value;

	if (!read_whole(text, time_units, true, &value) || value > TIME_MOST)
		return false;
	*nanoseconds = (int64_t)value;
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
