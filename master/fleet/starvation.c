/* Each reading judges the time since the one before: so a hub that sleeps in the kernel for long,
 * and then waits for a moment, is not taken for one that has waited all the time. */
#include "master/fleet/starvation.h"

#include <stddef.h>

#include "hub/base/check.h"

int64_t
starvation_judge(
	struct starvation *starvation, const struct cpu_time *now, int64_t silent, int64_t enough)
{
	int64_t waited;

	if (now != NULL && starvation->has_read) {
		CHECK_WHY(silent >= starvation->read_at, "without a sign of life silence grows");
		starvation->ran += now->ran - starvation->last.ran;
		waited = cpu_time_waited(&starvation->last, now, silent - starvation->read_at);
		if (starvation->ran >= enough)
			waited = -starvation->waited;
		starvation->waited += waited;
		silent -= waited;
	}
	starvation->has_read = now != NULL;
	if (now != NULL)
		starvation->last = *now;
	starvation->read_at = silent;
	return silent;
}
