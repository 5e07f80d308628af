/* The server is asked for its rings, and asked again each second while it records: it goes on
 * recording only a little longer than it was asked last, so nothing is left on if this process is
 * killed. Another master that takes over meanwhile gives other rings, which are read beside the
 * first. */
#include "master/ctl/trace.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/values.h"
#include "master/ctl/summary.h"
#include "master/ctl/summary_view.h"
#include "master/ctl/trace_file.h"
#include "master/ctl/tracks.h"
#include "master/face/commands.h"

#define READ_EVERY (10 * CLOCK_MILLISECOND)
#define ASK_EVERY CLOCK_SECOND
#define ASK_FOR "trace 3" /* seconds: longer than ASK_EVERY, on a slow machine, too */
/* Hubs begin to record at their next pulse. */
#define BEGIN (150 * CLOCK_MILLISECOND)
#define RECORD_BYTES 128 /* of the file, for each record, about */

static volatile sig_atomic_t is_interrupted;

static void
on_interrupt(int signal)
{
	(void)signal;
	is_interrupted = 1;
}

/* A second one ends the process. */
static void
catch_interrupt(void)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
}

/* Asks once. Returns the exit code. */
static int
ask(struct trace *trace, struct dialogue *dialogue, const char *request, struct tracks *tracks,
	bool is_past)
{
	const char *why;
	int fd, result;

	dialogue->request = request;
	dialogue->descriptor = &fd;
	result = dialogue_run(dialogue);
	snprintf(trace->message, sizeof trace->message, "%s", dialogue->message);
	if (fd == -1)
		why = result == 0 ? "the server has passed no flight recorder" : NULL;
	else
		why = tracks_add(tracks, fd, is_past);
	if (why == NULL)
		return result;
	snprintf(trace->message, sizeof trace->message, "%s", why);
	return 1;
}

/* Reads until that clock, or an interrupt, or until there is no room. Returns false without
 * memory. */
static bool
read_until(struct trace *trace, struct dialogue *dialogue, struct tracks *tracks, int64_t end)
{
	const struct timespec pause = {.tv_nsec = READ_EVERY};
	int64_t asked = clock_now();

	while (clock_now() < end && !is_interrupted && !tracks->is_full) {
		if (!tracks_read(tracks))
			return false;
		nanosleep(&pause, NULL);
		if (clock_now() - asked < ASK_EVERY)
			continue;
		asked = clock_now();
		/* A server that does not answer now may be between two masters. */
		ask(trace, dialogue, ASK_FOR, tracks, true);
	}
	return true;
}

/* Collects the records. Returns the exit code. */
static int
collect(struct trace *trace, struct dialogue *dialogue, struct tracks *tracks)
{
	struct tracks peek = {.most = 0};
	int64_t wanted = CLOCK_SECOND;
	bool is_always;
	int result = ask(trace, dialogue, "trace", &peek, false);

	tracks_free(&peek);
	if (result != 0)
		return result;
	is_always = strcmp(trace->message, "always") == 0;
	if (trace->seconds[0] != '\0')
		commands_read_seconds(trace->seconds, &wanted);
	else if (is_always)
		wanted = 0;
	result = ask(trace, dialogue, wanted > 0 ? ASK_FOR : "trace", tracks, wanted == 0);
	if (result != 0)
		return result;
	if (wanted > 0)
		fprintf(stderr, "recording for %g s; Ctrl-C ends it\n", clock_seconds(wanted));
	if (wanted > 0 && !is_always)
		wanted += BEGIN;
	if (read_until(trace, dialogue, tracks, clock_now() + wanted) && tracks_read(tracks))
		return 0;
	snprintf(trace->message, sizeof trace->message, "no memory for the records");
	return 1;
}

/* ---- the file ---- */

static void add(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct trace *trace, const char *format, ...)
{
	size_t length = strlen(trace->message);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(trace->message + length, sizeof trace->message - length, format, arguments);
	va_end(arguments);
}

/* Says what is missing in the trace, and why. */
static void
tell_missing(struct trace *trace, const struct tracks *tracks, const struct trace_file *file)
{
	char limit[VALUES_TEXT_SIZE];
	uint64_t lost = 0;

	for (size_t i = 0; i < tracks->count; i++) {
		const struct track *track = tracks->items[i];

		lost += track->lost;
		if (track->count == 0 && track->died == 0 && !is_interrupted)
			add(trace, "\nhub %u of worker %u has recorded nothing: does it hang?",
				track->hub, track->worker);
	}
	if (lost > 0)
		add(trace, "\n%llu older records were overwritten before they could be read",
			(unsigned long long)lost);
	if (tracks->is_full || file->is_cut)
		add(trace, "\nwhat came later is left out: a trace has %s at most (--limit)",
			values_write_size(limit, trace->limit));
}

static void
tell(struct trace *trace, const struct tracks *tracks, const struct trace_file *file)
{
	unsigned hubs = 0;

	for (size_t i = 0; i < tracks->count; i++)
		hubs += tracks->items[i]->count > 0;
	snprintf(trace->message, sizeof trace->message,
		"%llu events of %u hub%s in %.3f s; open %s at https://ui.perfetto.dev or "
		"chrome://tracing",
		(unsigned long long)file->events, hubs, log_plural(hubs, "s"),
		clock_seconds(file->last - file->first), trace->path);
	tell_missing(trace, tracks, file);
}

static int
fail(struct trace *trace, int error)
{
	struct stat status;

	snprintf(trace->message, sizeof trace->message, "cannot write %s: %s", trace->path,
		strerror(error));
	/* Half a trace would be opened by nobody. */
	if (strcmp(trace->path, "-") != 0 && stat(trace->path, &status) == 0 &&
		S_ISREG(status.st_mode))
		unlink(trace->path);
	return 1;
}

static int
write_file(struct trace *trace, const struct tracks *tracks)
{
	bool is_output = strcmp(trace->path, "-") == 0;
	struct trace_file file = {
		.stream = is_output ? stdout : fopen(trace->path, "we"),
		.limit = trace->limit,
		.end = clock_now(),
	};
	int error = 0;

	if (file.stream == NULL)
		return fail(trace, errno);
	if (trace_file_write(&file, tracks) != 0)
		error = errno;
	if (!is_output && fclose(file.stream) != 0 && error == 0)
		error = errno;
	if (error != 0)
		return fail(trace, error);
	tell(trace, tracks, &file);
	return 0;
}

/* ---- the summary ---- */

static int
print_summary(struct trace *trace, const struct tracks *tracks)
{
	json_t *summary = summary_of(tracks, clock_now());
	struct winsize size;

	if (summary == NULL) {
		snprintf(trace->message, sizeof trace->message, "no memory for the summary");
		return 1;
	}
	summary_print(
		stdout, summary, ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0);
	json_decref(summary);
	snprintf(trace->message, sizeof trace->message, "%zu records", tracks->taken);
	tell_missing(trace, tracks, &(struct trace_file){.is_cut = false});
	return 0;
}

int
trace_run(struct trace *trace, struct dialogue *dialogue)
{
	struct tracks tracks = {.most = (size_t)(trace->limit / RECORD_BYTES)};
	char chosen[64];
	int result;

	catch_interrupt();
	result = collect(trace, dialogue, &tracks);
	if (result == 0 && tracks.taken == 0) {
		snprintf(trace->message, sizeof trace->message, "no hub has recorded anything");
		tell_missing(trace, &tracks, &(struct trace_file){.is_cut = false});
		result = 1;
	}
	if (result == 0 && trace->is_summed_up)
		result = print_summary(trace, &tracks);
	if (trace->path == NULL && tracks.count > 0) {
		snprintf(chosen, sizeof chosen, "trace-%d.json", tracks.items[0]->pid);
		trace->path = trace->is_summed_up ? NULL : chosen;
	}
	if (result == 0 && trace->path != NULL)
		result = write_file(trace, &tracks);
	tracks_free(&tracks);
	return result;
}
