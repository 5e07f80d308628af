/* What was seen lies in one record, which a child can share with its parent; words are made of it
 * when the run is over. */
#include "sim/world/report_priv.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "hub/base/kernel.h"
#include "hub/scheduler.h"
#include "sim/world/command_priv.h"

#define TROUBLES_TOLD 20

static struct seen own, *seen = &own;
static const int64_t *time_shown; /* the world's; borrowed */
static int64_t began;             /* when it showed that */
static char report[24 * 1024];
static size_t written; /* of report */

void
report_in(struct seen *elsewhere)
{
	seen = elsewhere != NULL ? elsewhere : &own;
}

bool
report_is_elsewhere(void)
{
	return seen != &own;
}

void
report_begin(uint64_t seed, const int64_t *now)
{
	time_shown = now;
	began = *now;
	seen->seed = seed;
	seen->trace = UINT64_C(0xcbf29ce484222325);
	seen->noted = seen->by_program = 0;
	seen->format = NULL;
	seen->failure[0] = seen->dump[0] = '\0';
}

int64_t
report_age(void)
{
	return *time_shown - began;
}

struct troubles *
report_troubles(void)
{
	return &seen->troubles;
}

/* ---- the trace ---- */

/* Two hashes that differ stay different whatever is added to both. */
static inline uint64_t
add_word(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The high bits count in the low ones, too. */
static inline uint64_t
fold(uint64_t hash)
{
	return hash ^ hash >> 32;
}

void
world_see(const void *bytes, size_t length)
{
	const char *at = bytes;
	uint64_t hash = length, word = 0;

	for (; length >= sizeof word; at += sizeof word, length -= sizeof word) {
		memcpy(&word, at, sizeof word);
		hash = add_word(hash, word);
	}
	if (length > 0) {
		word = 0;
		memcpy(&word, at, length);
		hash = add_word(hash, word);
	}
	seen->trace = fold(add_word(seen->trace, fold(hash)));
}

/* Texts count by their characters: addresses differ from run to run. Those of the last texts are
 * kept. */
static uint64_t
hash_of(const char *text)
{
	static struct {
		const char *text;
		uint64_t hash;
	} known[64];
	size_t at = (uintptr_t)text >> 3 & 63;
	uint64_t hash = 0;

	if (known[at].text == text)
		return known[at].hash;
	for (const char *each = text; *each != '\0'; each++)
		hash = (hash ^ (unsigned char)*each) * UINT64_C(0x100000001b3);
	known[at].text = text;
	known[at].hash = hash;
	return hash;
}

uint64_t
hub_sim_trace(void)
{
	return seen->trace;
}

/* ---- events ---- */

/* Its place in the ring. */
static inline size_t
add_event(const char *subject, int fd, int error, const char *what, long a, long b, long c)
{
	size_t at = seen->noted++ % EVENTS_KEPT;

	seen->events[at] = (struct event){report_age(), subject, fd, error, what, {a, b, c}};
	who_runs(&seen->who[at]);
	return at;
}

void
report_event(const char *subject, int fd, int error, const char *what, long a, long b, long c)
{
	size_t at = add_event(subject, fd, error, what, a, b, c);
	uint64_t hash = add_word(seen->trace, hash_of(what));

	hash = add_word(hash, (uint64_t)seen->events[at].at);
	hash = add_word(hash, (uint64_t)error << 32 | (unsigned)fd);
	hash = add_word(hash, (uint64_t)a);
	hash = add_word(hash, (uint64_t)b);
	hash = add_word(hash, (uint64_t)c);
	seen->trace = fold(hash);
}

void
world_note(const char *what, long a, long b, long c)
{
	report_event(NULL, 0, 0, what, a, b, c);
}

void
report_event_of(const struct hub_coroutine *coroutine, const char *what)
{
	report_event(NULL, 0, 0, what, 0, 0, 0);
	who_is(&seen->who[(seen->noted - 1) % EVENTS_KEPT], coroutine);
}

void
report_note(const char *format, va_list arguments)
{
	size_t at = add_event(NULL, 0, 0, NULL, 0, 0, 0);

	vsnprintf(seen->notes[at], NOTE_SIZE, format, arguments);
	seen->trace = add_word(seen->trace, (uint64_t)seen->events[at].at);
	world_see(seen->notes[at], strlen(seen->notes[at]));
	seen->by_program++;
}

uint64_t
report_events(void)
{
	return seen->noted - seen->troubles.count - seen->by_program;
}

void
report_fail(const char *format, va_list arguments)
{
	if (seen->format != NULL)
		return;
	seen->format = format;
	vsnprintf(seen->failure, sizeof seen->failure, format, arguments);
	world_note("the run has failed", 0, 0, 0);
}

void
world_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_fail(format, arguments);
	va_end(arguments);
}

bool
world_has_failed(void)
{
	return seen->format != NULL;
}

void
report_dump(void (*dump)(int fd))
{
	static const char more[] = "\n  and more\n";
	int fd = memfd_create("dump", MFD_CLOEXEC);
	ssize_t length;

	if (fd == -1)
		return;
	dump(fd);
	length = real_preadv2(fd, &(struct iovec){seen->dump, sizeof seen->dump - 1}, 1, 0, 0);
	real_close(fd);
	seen->dump[length > 0 ? length : 0] = '\0';
	if (length == sizeof seen->dump - 1)
		memcpy(seen->dump + length - (sizeof more - 1), more, sizeof more);
}

/* ---- in words ---- */

static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(report + written, sizeof report - written, format, arguments);
	va_end(arguments);
	written += (size_t)length;
	if (written >= sizeof report)
		written = sizeof report - 1;
}

static void
write_event(const struct seen *what, size_t at)
{
	const struct event *event = &what->events[at];
	char who[WHO_SIZE];

	tell("%12.6f  %-16s  ", (double)event->at / (double)HUB_SECOND,
		who_write(&what->who[at], who));
	if (event->what == NULL) {
		tell("%s\n", what->notes[at]);
		return;
	}
	if (event->subject != NULL && event->fd == 0)
		tell("%s of a connection in the queue ", event->subject);
	else if (event->subject != NULL)
		tell("%s %d ", event->subject, event->fd);
		/* The literal is this library's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	tell(event->what, event->numbers[0], event->numbers[1], event->numbers[2]);
#pragma GCC diagnostic pop
	tell(event->error != 0 ? ": %s\n" : "\n", strerror(event->error));
}

static void
write_troubles(const struct troubles *troubles)
{
	tell(troubles->count != 0 ? "it fails with no more trouble than this:\n"
				  : "it fails without any trouble\n");
	for (size_t i = 0; i < troubles->count && i < TROUBLES_TOLD; i++)
		tell("%12.6f  %s\n", (double)troubles->each[i].at / (double)HUB_SECOND,
			trouble_words(troubles->each[i].kind) + sizeof "trouble: " - 1);
	if (troubles->count > TROUBLES_TOLD)
		tell("              and %zu more\n", troubles->count - TROUBLES_TOLD);
}

static void
write_command(const struct seen *what)
{
	char only[8 * 1024];

	tell("to repeat it: HUBBUB_SEED=%llu ", (unsigned long long)what->seed);
	if (troubles_are_given() && troubles_write(&what->troubles, only, sizeof only))
		tell("HUBBUB_ONLY='%s' ", only);
	tell("%s\n", command_line());
}

void
report_write(const struct seen *what, int signal)
{
	bool has_failed = what->format != NULL || signal != 0;
	uint64_t first = what->noted > EVENTS_TOLD ? what->noted - EVENTS_TOLD : 0;

	written = 0;
	tell("seed %llu: ", (unsigned long long)what->seed);
	if (what->format != NULL)
		tell("%s\n", what->failure);
	else if (signal != 0)
		tell("the program was ended by signal %d, %s\n", signal, strsignal(signal));
	else
		tell("nothing was found\n");
	if (has_failed && troubles_are_given())
		write_troubles(&what->troubles);
	if (what->noted > 0)
		tell("the last events: seconds since the world began, coroutine, what it did:\n");
	for (uint64_t i = first; i < what->noted; i++)
		write_event(what, i % EVENTS_KEPT);
	if (what->dump[0] != '\0')
		tell("its coroutines:\n%s", what->dump);
	if (has_failed)
		write_command(what);
}

void
report_refuse(const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(report, sizeof report - 1, format, arguments);
	va_end(arguments);
	written = (size_t)length < sizeof report - 1 ? (size_t)length : sizeof report - 2;
	tell("\n");
}

void
report_exit(struct seen *what)
{
	static const char why[] = "the program has ended the process in which it ran";

	if (what->format != NULL)
		return;
	what->format = why;
	memcpy(what->failure, why, sizeof why);
}

void
report_end(void)
{
	if (!report_is_elsewhere())
		report_write(seen, 0);
}

const char *
hub_sim_report(void)
{
	return report;
}
