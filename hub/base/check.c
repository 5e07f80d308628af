/* The end of a process whose invariant is broken: one line to standard error, then abort(3).
 * Allocates nothing and locks nothing, since anything may be broken. */
#include "hub/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/log.h"

void
check_failed(const char *file, int line, const char *what, const char *why)
{
	char message[512];

	/* One write(2), so that lines of several threads do not mix; no stdio stream, whose lock
	 * may be held. */
	int length = snprintf(message, sizeof message, "%shubbub: %s:%d: check failed: %s (%s)\n",
		log_prefix(STDERR_FILENO, LOG_ERROR), file, line, what, why);
	if (length > (int)sizeof message - 1)
		length = sizeof message - 1;
	if (kernel_write(STDERR_FILENO, message, (size_t)length) < 0)
		abort();
	abort();
}
