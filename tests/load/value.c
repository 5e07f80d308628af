#include "tests/load/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/arguments.h"
#include "tests/load/load.h"

void
value_refuse(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "hubbub-load: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(LOAD_USAGE);
}

double
value_number(const char *option, const char *value, double least, double most)
{
	double number = 0;

	if (!units_read_count(value, &number) || number < least || number > most) {
		char low[UNITS_TEXT_SIZE], high[UNITS_TEXT_SIZE];

		value_refuse("--%s: '%s' is not a number from %s to %s (50, 1.5k, 2M, 64Ki)",
			option, value, units_write_count(low, least),
			units_write_count(high, most));
	}
	return number;
}

unsigned
value_whole(const char *option, const char *value, unsigned least, unsigned most)
{
	double number = value_number(option, value, least, most);

	if (number != floor(number))
		value_refuse("--%s: '%s' is not a whole number", option, value);
	return (unsigned)number;
}

int64_t
value_time(const char *option, const char *value, int64_t least)
{
	int64_t time;

	if (!units_read_time(value, &time) || time < least)
		value_refuse(
			"--%s: '%s' is not a time%s (10, 250ms, 80us, 5m; without a unit seconds)",
			option, value, least > 0 ? " above 0" : "");
	return time;
}

double
value_share(const char *option, const char *value)
{
	size_t length = strlen(value);
	char copy[32];
	double share;

	if (length > 1 && length < sizeof copy && value[length - 1] == '%') {
		memcpy(copy, value, length - 1);
		copy[length - 1] = '\0';
		if (units_read_count(copy, &share))
			return share / 100;
	}
	value_refuse("--%s: '%s' is not a percentage, such as 5%%", option, value);
}

unsigned
value_word(const char *option, const char *value, const char *const *words, unsigned count)
{
	char list[128];
	int index = arguments_find_word(value, words, count, list, sizeof list);

	if (index < 0)
		value_refuse("--%s: '%s' is not one of: %s", option, value, list);
	return (unsigned)index;
}

void
value_copy(const char *option, const char *value, char *to, size_t size)
{
	if (snprintf(to, size, "%s", value) >= (int)size)
		value_refuse("--%s: longer than %zu characters", option, size - 1);
}

const char *
value_name(const char *option, const char *value)
{
	if (*value == '\0')
		value_refuse("--%s: needs a name", option);
	return value;
}
