/* One clock in the shared segment limits all hubs of all workers. The hub that moves the clock
 * forward by a compare-and-swap logs its line; the lines of all others are dropped. */
#include "worker/complain.h"

#include <stdarg.h>
#include <stdio.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "worker/segment.h"

static bool
may_log(struct counters *counters)
{
	int64_t now = clock_now();
	int64_t next = __atomic_load_n(&counters->next_complaint, __ATOMIC_RELAXED);

	/* A time further away than any hub sets was overwritten, and would silence all for ever. */
	return (now >= next || next > now + CLOCK_SECOND) &&
	       __atomic_compare_exchange_n(&counters->next_complaint, &next, now + CLOCK_SECOND,
		       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void
complain(struct counters *counters, const char *format, ...)
{
	char text[320];
	va_list arguments;

	CHECK_WHY(counters != NULL, "all hubs of a server share the time of a line");
	if (!may_log(counters))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_warning("%s", text);
}
