#include "hub/base/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/log.h"

int64_t
setting_number(const char *variable, int64_t least, int64_t most, int64_t fallback)
{
	const char *text = getenv(variable);
	char *end;
	long long number;

	if (text == NULL || *text == '\0')
		return fallback;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno == 0 && *end == '\0' && number >= least && number <= most)
		return number;
	log_warning("%s is \"%s\", but takes a whole number from %lld to %lld; using %lld",
		variable, text, (long long)least, (long long)most, (long long)fallback);
	return fallback;
}

int
setting_choice(const char *variable, const char *const *names, int fallback)
{
	const char *text = getenv(variable);

	if (text == NULL || *text == '\0')
		return fallback;
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	log_warning("%s is \"%s\", but takes %s and the like; using %s", variable, text, names[0],
		names[fallback]);
	return fallback;
}
