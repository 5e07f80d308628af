/* Each call reads the environment anew, and reports an invalid value anew: nothing is kept. */
#include "hub/base/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/log.h"

/* The factor of the unit at text: units has a letter for 1024, 1024 * 1024 and so on. 1 without a
 * unit, 0 if it is none of units. */
static long long
factor(const char *text, const char *units)
{
	const char *unit = strchr(units, *text);

	if (*text == '\0')
		return 1;
	return unit != NULL && text[1] == '\0' ? 1LL << 10 * (unit - units + 1) : 0;
}

static int64_t
setting(const char *variable, int64_t least, int64_t most, int64_t fallback, const char *units,
	const char *what)
{
	const char *text = getenv(variable);
	char *end;
	long long number, times;

	if (text == NULL || *text == '\0')
		return fallback;
	errno = 0;
	number = strtoll(text, &end, 10);
	/* 0 if the number or its unit is invalid. */
	times = end != text && errno == 0 ? factor(end, units) : 0;
	if (times != 0 && !__builtin_mul_overflow(number, times, &number) && number >= least &&
		number <= most)
		return number;
	log_warning("%s is \"%s\", but takes %s from %lld to %lld; using %lld", variable, text,
		what, (long long)least, (long long)most, (long long)fallback);
	return fallback;
}

int64_t
setting_number(const char *variable, int64_t least, int64_t most, int64_t fallback)
{
	return setting(variable, least, most, fallback, "", "a whole number");
}

int64_t
setting_size(const char *variable, int64_t least, int64_t most, int64_t fallback)
{
	return setting(variable, least, most, fallback, "KMG", "bytes, as 65536 or 64K,");
}

int
setting_choice(const char *variable, const char *const *names, int fallback)
{
	const char *text = getenv(variable);
	char all[128] = "";
	size_t length = 0;

	if (text == NULL || *text == '\0')
		return fallback;
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	for (int i = 0; names[i] != NULL && length < sizeof all; i++)
		length += (size_t)snprintf(
			all + length, sizeof all - length, "%s%s", i > 0 ? ", " : "", names[i]);
	log_warning("%s is \"%s\", but takes one of: %s; using %s", variable, text, all,
		names[fallback]);
	return fallback;
}
