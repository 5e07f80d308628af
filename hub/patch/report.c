/* The report: which calls of the C library blocked a hub's thread all the same, how often and for
 * how long. Any thread counts, atomically; the report is printed at the end of the process. */
#include <errno.h>
#include <hubbub/io/own.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/report_priv.h"

/* Calls shorter than this do not count. */
#define LONG_ENOUGH HUB_MILLISECOND

struct line {
	atomic_ullong count;
	atomic_llong total;   /* nanoseconds */
	atomic_llong longest; /* nanoseconds */
};

static struct line lines[CALL_MAX];

static const char *const names[CALL_MAX] = {
#define NAME(kind, family, result, name, parameters, arguments) [CALL_##name] = #name,
	PATCH_CALLS(NAME)
#undef NAME
};

int64_t
report_begin(void)
{
	return hub_is_running() ? hub_now() : 0;
}

/* libev waits in these calls while no coroutine can run: that holds none of them up. */
static bool
is_hubs_own(enum patch_call call)
{
	return (call == CALL_epoll_wait || call == CALL_poll) && hub_polls();
}

void
report_end(enum patch_call call, int64_t began)
{
	int error = errno;
	int64_t took = hub_now() - began;
	struct line *line = &lines[call];
	long long longest = atomic_load(&line->longest);

	if (took >= LONG_ENOUGH && !is_hubs_own(call)) {
		atomic_fetch_add(&line->count, 1);
		atomic_fetch_add(&line->total, took);
		while (took > longest &&
			!atomic_compare_exchange_weak(&line->longest, &longest, took))
			continue;
	}
	errno = error;
}

static __attribute__((format(printf, 1, 2))) void
say(const char *format, ...)
{
	char text[256];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_bare(LOG_INFO, text, (size_t)length);
}

/* A line for each call that blocked, or one that says that none did. */
static __attribute__((destructor)) void
print(void)
{
	bool is_begun = false;

	if (!(atomic_load(&patch_active) & PATCH_REPORTED))
		return;
	for (int i = 0; i < CALL_MAX; i++) {
		if (lines[i].count == 0)
			continue;
		if (!is_begun)
			say("hubbub-patch: calls that blocked a hub's thread for a "
			    "millisecond or more:\n%-24s %10s %12s %12s\n",
				"call", "times", "total ms", "longest ms");
		is_begun = true;
		say("%-24s %10llu %12.1f %12.1f\n", names[i], (unsigned long long)lines[i].count,
			(double)lines[i].total / 1e6, (double)lines[i].longest / 1e6);
	}
	if (!is_begun)
		say("hubbub-patch: no call blocked a hub's thread\n");
}
