/* Reading moments. strptime would accept less than two digits, and blanks before them, so a form is
 * compared character by character first. */
#include "tests/load/ask/moment.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "hub/base/clock.h"

#define SECONDS_MAX 9000000000 /* since 1970: the year 2255 */

/* Whether text begins with the form, in which a 0 stands for any digit. */
static bool
has_form(const char *text, const char *form)
{
	for (; *form != '\0'; text++, form++)
		if (*form == '0' ? !isdigit((unsigned char)*text) : *text != *form)
			return false;
	return true;
}

static int
two_digits(const char *text)
{
	return 10 * (text[0] - '0') + text[1] - '0';
}

/* Reads a fraction of a second, if there is one. Returns what follows it; NULL if it is none. */
static const char *
read_fraction(const char *text, int64_t *nanoseconds)
{
	int64_t unit = CLOCK_SECOND;

	*nanoseconds = 0;
	if (*text != '.')
		return text;
	if (!isdigit((unsigned char)*++text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++)
		*nanoseconds += (*text - '0') * (unit /= 10);
	return text;
}

static bool
read_epoch(const char *text, int64_t *nanoseconds)
{
	int64_t seconds = 0, fraction;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 10)
		return false;
	for (size_t i = 0; i < digits; i++)
		seconds = 10 * seconds + text[i] - '0';
	text = read_fraction(text + digits, &fraction);
	if (seconds > SECONDS_MAX || text == NULL || *text != '\0')
		return false;
	*nanoseconds = seconds * CLOCK_SECOND + fraction;
	return true;
}

static bool
is_time_of_day(const char *text)
{
	return has_form(text, "00:00:00") && two_digits(text) < 24 && two_digits(text + 3) < 60 &&
	       two_digits(text + 6) < 60;
}

static bool
read_today(const char *text, int64_t *nanoseconds)
{
	time_t now = time(NULL);
	struct tm broken;

	if (!is_time_of_day(text) || text[8] != '\0' || localtime_r(&now, &broken) == NULL)
		return false;
	broken.tm_hour = two_digits(text);
	broken.tm_min = two_digits(text + 3);
	broken.tm_sec = two_digits(text + 6);
	broken.tm_isdst = -1;
	*nanoseconds = mktime(&broken) * CLOCK_SECOND;
	return true;
}

/* Reads "Z" or an offset, as seconds east of Greenwich. */
static bool
read_offset(const char *text, int *offset)
{
	*offset = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if ((text[0] != '+' && text[0] != '-') || !has_form(text + 1, "00:00") || text[6] != '\0' ||
		two_digits(text + 1) > 23 || two_digits(text + 4) > 59)
		return false;
	*offset = 3600 * two_digits(text + 1) + 60 * two_digits(text + 4);
	if (text[0] == '-')
		*offset = -*offset;
	return true;
}

static bool
read_timestamp(const char *text, int64_t *nanoseconds)
{
	struct tm broken = {0}, day;
	int64_t fraction;
	const char *rest;
	int offset;
	time_t seconds;

	if (!has_form(text, "0000-00-00") || strchr("Tt ", text[10]) == NULL || text[10] == '\0' ||
		!is_time_of_day(text + 11))
		return false;
	rest = read_fraction(text + 19, &fraction);
	if (rest == NULL || !read_offset(rest, &offset))
		return false;
	broken.tm_year = 100 * two_digits(text) + two_digits(text + 2) - 1900;
	broken.tm_mon = two_digits(text + 5) - 1;
	broken.tm_mday = two_digits(text + 8);
	broken.tm_hour = two_digits(text + 11);
	broken.tm_min = two_digits(text + 14);
	broken.tm_sec = two_digits(text + 17);
	day = broken;
	seconds = timegm(&day);
	/* timegm makes the 31st of April the 1st of May. A clock counts from 1970 to 2262. */
	if (day.tm_mon != broken.tm_mon || day.tm_mday != broken.tm_mday || day.tm_year < 70 ||
		day.tm_year >= 362)
		return false;
	*nanoseconds = (seconds - offset) * CLOCK_SECOND + fraction;
	return true;
}

bool
moment_read(const char *text, int64_t *nanoseconds)
{
	if (text[0] == '@')
		return read_epoch(text + 1, nanoseconds);
	return read_today(text, nanoseconds) || read_timestamp(text, nanoseconds);
}

int64_t
moment_now(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec * CLOCK_SECOND + wall.tv_nsec;
}
