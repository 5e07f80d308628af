/* Exponential backoff with two limits: a short one while no other worker serves, since clients then
 * wait, and a long one otherwise. No state of its own: the slot keeps the count of failures. */
#include "master/fleet/backoff.h"

#include "hub/base/check.h"
#include "hub/base/clock.h"

#define SERVED_ENOUGH (CLOCK_SECOND / 2)

double
backoff_pause(unsigned *failures, int64_t served, bool others_serve)
{
	double limit = others_serve ? BACKOFF_MAX : BACKOFF_MAX_ALONE;
	double pause = BACKOFF_FIRST;

	if (served >= SERVED_ENOUGH)
		return 0.;
	for (unsigned i = 0; i < *failures && pause < limit; i++)
		pause *= 2.;
	++*failures;
	if (pause > limit)
		pause = limit;
	CHECK(pause >= BACKOFF_FIRST && pause <= BACKOFF_MAX);
	return pause;
}
