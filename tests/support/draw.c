/* A sample is the beginning of a shuffled list of all cases, so the seed alone determines which
 * cases are drawn, and in which order. */
#include "tests/support/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"

unsigned
draw_seed(void)
{
	const char *again = getenv("HUBBUB_SEED");
	unsigned seed;

	if (again != NULL && *again != '\0')
		return (unsigned)strtoul(again, NULL, 10);
	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		seed = (unsigned)clock_now();
	return seed;
}

static void
shuffle(struct draw *draw)
{
	unsigned random = draw->seed;

	for (unsigned i = draw->count - 1; i > 0; i--) {
		unsigned other = (unsigned)rand_r(&random) % (i + 1), swapped = draw->cases[i];

		draw->cases[i] = draw->cases[other];
		draw->cases[other] = swapped;
	}
}

/* Keeps only the cases whose names contain the text. */
static void
keep(struct draw *draw, const char *text, const char *(*name)(unsigned number))
{
	unsigned kept = 0;

	for (unsigned i = 0; i < draw->count; i++)
		if (strstr(name(draw->cases[i]), text) != NULL)
			draw->cases[kept++] = draw->cases[i];
	draw->count = kept;
}

struct draw
draw_cases(unsigned all, unsigned sample, const char *(*name)(unsigned number))
{
	const char *wanted = getenv("HUBBUB_CASES");
	struct draw draw = {calloc(all, sizeof(unsigned)), all, draw_seed(), false};
	char *end = NULL;

	CHECK(draw.cases != NULL);
	for (unsigned i = 0; i < all; i++)
		draw.cases[i] = i;
	shuffle(&draw);
	draw.is_wanted = wanted != NULL && *wanted != '\0';
	if (draw.is_wanted) {
		sample = (unsigned)strtoul(wanted, &end, 10);
		if (*end != '\0') {
			sample = 0;
			if (strcmp(wanted, "all") != 0)
				keep(&draw, wanted, name);
		}
	}
	if (sample != 0 && sample < draw.count)
		draw.count = sample;
	printf("HUBBUB_SEED=%u: %u of %u cases\n", draw.seed, draw.count, all);
	fflush(stdout);
	return draw;
}
