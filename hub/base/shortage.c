/* The threads of a process lack the same things, so how long they have waited is counted for all of
 * them: roughly, since it is a limit to hope. */
#include "hub/base/shortage.h"

#include <errno.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"

#define PAUSE (10 * CLOCK_MILLISECOND)
#define ANEW CLOCK_SECOND
#define MOST (10 * CLOCK_SECOND)
#define SAY_EVERY (60 * CLOCK_SECOND)

bool
shortage_wait(int error, const char *what)
{
	static _Atomic int64_t began, last, said;
	const struct timespec pause = {0, PAUSE};
	int64_t now = clock_now();

	if (error != EMFILE && error != ENFILE && error != ENOMEM)
		return false;
	if (now - last > ANEW)
		began = now;
	if (now - began > MOST)
		return false;
	last = now;
	if (said == 0 || now - said > SAY_EVERY) {
		said = now;
		log_error("cannot %s: %s; trying again for %lld s", what, strerror(error),
			(long long)(MOST / CLOCK_SECOND));
	}
	kernel_nanosleep(&pause);
	return true;
}
