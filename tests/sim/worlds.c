#include "tests/sim/worlds.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/seeds.h"

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

	present.body = body;
	EACH_SEED (seed, count) {
		/* By the seed, so that it repeats alone. */
		present.is_in_trouble = seed % 2 == 0;
		present.wrong[0] = '\0';
		cr_assert_eq(hub_sim_run(seed, in_trouble() ? &hub_sim_trouble : NULL, run, NULL),
			0, "%s\n%s", present.wrong, hub_sim_report());
	}
}
