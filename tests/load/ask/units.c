/* Two to four significant digits, as fit into a column. The bounds lie half a digit below each
 * power of ten, so that rounding never prints "1000us". */
#include "tests/load/ask/units.h"

#include <stdio.h>
#include <string.h>

const char *const units_time_names[UNITS_TIME_MAX] = {"auto", "us", "ms"};

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
