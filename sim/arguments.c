/* A run with odd options would be one that nobody meant, so it does not begin. */
#include "sim/arguments_priv.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/base/room.h"
#include "hub/scheduler.h"
#include "sim/kernel/port_priv.h"
#include "sim/world/digits_priv.h"
#include "sim/world/report_priv.h"
#include "sim/world/trouble_priv.h"

#define RATE(field) (offsetof(struct hub_sim_options, field) / sizeof(unsigned))

/* A hundred years: sums of a few such times are no overflow. */
#define TIME_MOST (INT64_C(100) * 365 * 24 * 3600 * HUB_SECOND)

/* As Linux's fs.nr_open. */
#define FILES_MOST (1 << 20)

static bool
is_within(const char *name, int64_t number, int64_t most)
{
	if (number >= 0 && number <= most)
		return true;
	report_refuse("the option %s is %lld, and takes a number from 0 to %lld", name,
		(long long)number, (long long)most);
	return false;
}

/* A negative rate is a number beyond all others by now. */
static bool
are_rates(const unsigned *rates)
{
	for (unsigned i = 0; i <= RATE(partition); i++)
		if (!is_within(
			    i == RATE(drift) ? "drift" : trouble_name(i), (int)rates[i], INT_MAX))
			return false;
	return true;
}

static bool
are_options(const struct hub_sim_options *options)
{
	if (!ROOM_IS_EMPTY(options)) {
		report_refuse("the options were never set to zero (their room is not NULL), or "
			      "are those of a later version");
		return false;
	}
	if (!are_rates(&options->interrupted))
		return false;
	if (!is_within("delay", options->delay, TIME_MOST) ||
		!is_within("longest", options->longest, INT64_MAX) ||
		!is_within("ports", options->ports, PORTS_MOST) ||
		!is_within("files", options->files, FILES_MOST))
		return false;
	if (options->directory != NULL && options->directory[0] != '/') {
		report_refuse("the option directory is \"%s\", and takes an absolute path",
			options->directory);
		return false;
	}
	return true;
}

bool
arguments_are_valid(const struct hub_sim_options *options, hub_fn *body)
{
	bool are_valid = options == NULL || are_options(options);

	if (are_valid && body == NULL) {
		report_refuse("there is no body to run: it is NULL");
		are_valid = false;
	}
	if (!are_valid)
		errno = EINVAL;
	return are_valid;
}

const char *
arguments_read_seed(uint64_t *seed)
{
	static char why[200];
	const char *text = getenv("HUBBUB_SEED"), *end;
	uint64_t number;

	if (text == NULL)
		return NULL;
	end = digits_read(text, &number);
	if (end == NULL || *end != '\0') {
		snprintf(why, sizeof why,
			"HUBBUB_SEED is \"%.60s\", and takes one seed: a whole number from 0 to "
			"18446744073709551615",
			text);
		return why;
	}
	*seed = number;
	return NULL;
}
