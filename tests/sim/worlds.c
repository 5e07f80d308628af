#include "tests/sim/worlds.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
	hub_fn *body;
	bool is_in_trouble;
	char wrong[256];
} present;

bool
in_trouble(void)
{
	return present.is_in_trouble;
}

void
wrong(const char *format, ...)
{
	va_list arguments;

	if (is_wrong())
		return;
	va_start(arguments, format);
	vsnprintf(present.wrong, sizeof present.wrong, format, arguments);
	va_end(arguments);
}

bool
is_wrong(void)
{
	return present.wrong[0] != '\0';
}

bool
once_in(unsigned limit)
{
	return below(limit) == 0;
}

static void *
run(void *unused)
{
	present.body(unused);
	if (is_wrong())
		hub_fail(EPROTO, "%s", present.wrong);
	return NULL;
}

void
in_worlds(hub_fn *body, unsigned count)
{
	const char *seed = getenv("HUBBUB_SEED");
	uint64_t first = seed != NULL ? strtoull(seed, NULL, 10) : 1;

	present.body = body;
	for (unsigned i = 0; i < count; i++) {
		present.is_in_trouble = i % 2 == 1;
		present.wrong[0] = '\0';
		cr_assert_eq(
			hub_sim_run(first + i, in_trouble() ? &hub_sim_trouble : NULL, run, NULL),
			0, "%s\n%s", present.wrong, hub_sim_report());
	}
}
