/* The end of a process whose invariant is broken: one line to standard error, then abort(3).
 * Allocates nothing and locks nothing, since anything may be broken. */
#include "hub/base/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "hub/base/log.h"

void
check_failed(const char *file, int line, const char *what, const char *why)
{
	char message[512];

	/* No stdio stream, whose lock may be held. */
	snprintf(message, sizeof message, "hubbub: %s:%d: check failed: %s (%s)", file, line, what,
		why);
	log_fault(message);
	abort();
}
