/* Pure arithmetic: no clock, no server. held and the lowest rate above it that failed enclose the
 * answer; the next rate is their geometric mean, half as much again while nothing has failed, and
 * half or a quarter while nothing has held. The search ends when the two are within NEAR, or after
 * TRIES_MAX measurements. */
#include "tests/load/run/bisection.h"

#include <math.h>

#define TRIES_MAX 40
#define REPEATS_MAX 2 /* of an invalid measurement */
#define NEAR 0.02     /* share of the rate below which two rates count as equal */

const char *const bisection_answer_names[BISECTION_ANSWER_MAX] = {
	"found", "at least", "none", "unknown"};

/* The lowest rate above held that did not hold, or could not be measured; 0: none. */
static double
bound(const struct bisection *bisection)
{
	if (bisection->broke == 0 || bisection->unmeasured == 0)
		return fmax(bisection->broke, bisection->unmeasured);
	return fmin(bisection->broke, bisection->unmeasured);
}

static bool
is_near(const struct bisection *bisection)
{
	double above = bound(bisection);

	return bisection->held > 0 && above > 0 && above - bisection->held <= NEAR * above;
}

void
bisection_begin(struct bisection *bisection, double rate, double least)
{
	*bisection = (struct bisection){.rate = floor(fmax(rate, least)), .least = least};
}

static double
next(const struct bisection *bisection)
{
	double above = bound(bisection), rate;

	if (is_near(bisection) || bisection->tries >= TRIES_MAX)
		return 0;
	if (above == 0)
		rate = bisection->held * 1.5;
	else if (bisection->held > 0)
		rate = sqrt(bisection->held * above);
	else
		/* What disturbs the generator at a rate disturbs it at half of it, too: go down
		 * faster. */
		rate = above == bisection->broke ? above / 2 : above / 4;
	rate = floor(rate);
	/* Rates are whole numbers: between neighbours there is none. */
	return rate >= bisection->least && rate > bisection->held && (above == 0 || rate < above)
		       ? rate
		       : 0;
}

void
bisection_note(struct bisection *bisection, enum bisection_outcome outcome)
{
	double rate = bisection->rate;

	bisection->tries++;
	if (outcome == BISECTION_INVALID && bisection->repeats < REPEATS_MAX &&
		bisection->tries < TRIES_MAX) {
		bisection->repeats++;
		return;
	}
	bisection->repeats = 0;
	if (outcome == BISECTION_HELD)
		bisection->held = rate;
	else if (outcome == BISECTION_BROKE)
		bisection->broke = rate;
	else
		bisection->unmeasured = rate;
	bisection->rate = next(bisection);
}

enum bisection_answer
bisection_answer(const struct bisection *bisection)
{
	bool is_bounded = bisection->broke > 0 && bound(bisection) == bisection->broke;

	if (bisection->held == 0)
		return is_bounded && bisection->tries < TRIES_MAX ? BISECTION_NONE
								  : BISECTION_UNKNOWN;
	return is_bounded && (is_near(bisection) || bisection->broke - bisection->held <= 1)
		       ? BISECTION_FOUND
		       : BISECTION_AT_LEAST;
}
