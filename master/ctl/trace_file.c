/* One pass over the records of each track, in which what a coroutine was woken by waits for its
 * next run, and what runs waits for the record that ends it. So each slice ends before the next one
 * on its track begins, and each flow is written with both ends or not at all. */
#include "master/ctl/trace_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/log.h"
#include "master/ctl/known.h"
#include "master/ctl/walk.h"

#define NONE UINT32_MAX
#define END_SIZE 256 /* bytes for what ends the file */

/* What is known of a coroutine. */
struct coroutine {
	uint32_t id;
	uint32_t name;
	uint32_t fd; /* that it last used; NONE */
	bool is_known;
	bool is_woken;
	int64_t woken_at;
};

/* A track while it is written. */
struct writing {
	struct trace_file *file;
	const struct track *track;
	struct known known;
	/* The slice that has begun; runs: NONE for none, 0 for the loop. */
	uint32_t runs;
	bool is_poll, is_idle;
	int64_t since;
	/* Of a line of the log. */
	char text[1024];
	size_t text_length, text_left;
	int64_t text_at;
	uint32_t text_level;
	bool has_failed; /* without memory */
};

/* ---- the file ---- */

static bool __attribute__((format(printf, 2, 3)))
put(struct trace_file *file, const char *format, ...)
{
	va_list arguments;
	int length;

	if (file->bytes + END_SIZE >= file->limit) {
		file->is_cut = true;
		return false;
	}
	va_start(arguments, format);
	length = vfprintf(file->stream, format, arguments);
	va_end(arguments);
	file->bytes += length > 0 ? (uint64_t)length : 0;
	return length > 0;
}

/* The beginning of an event, up to its time. */
#define EVENT "%s{\"ph\":\"%s\",\"pid\":%d,\"tid\":%u,\"ts\":%lld.%03d"
#define EVENT_OF(writing, phase, time)                                                             \
	(writing)->file->events++ > 0 ? ",\n" : "", phase, (writing)->track->pid,                  \
		(writing)->track->hub + 1, (long long)((time) / 1000), (int)((time) % 1000)

#define FLOW EVENT ",\"id\":%llu,\"name\":\"wake\",\"cat\":\"wake\"%s}"

/* Text as it may stand in a string of JSON; bytes that are not printable ASCII become '?'. */
static const char *
plain_text(const char *text, char *safe, size_t size)
{
	size_t length = 0;

	for (; *text != '\0' && length + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			safe[length++] = '\\';
		safe[length++] = *text >= ' ' && *text <= '~' ? *text : '?';
	}
	safe[length] = '\0';
	return safe;
}

/* ---- coroutines ---- */

/* What is known of the coroutine, at first nothing. NULL without memory, and for the loop. */
static struct coroutine *
find(struct writing *writing, uint32_t id)
{
	struct coroutine *coroutine;

	if (id == 0 || id == NONE)
		return NULL;
	coroutine = known_find(&writing->known, id);
	if (coroutine == NULL)
		writing->has_failed = true;
	else if (!coroutine->is_known)
		*coroutine = (struct coroutine){
			.id = id, .is_known = true, .name = FLIGHT_OTHER, .fd = NONE};
	return coroutine;
}

static const char *
name_of(const struct writing *writing, uint32_t index, char *safe, size_t size)
{
	return plain_text(
		writing->track->names[index < FLIGHT_NAMES ? index : FLIGHT_OTHER], safe, size);
}

/* ---- slices ---- */

/* Writes the slice that ends at that time, with why it ends, unless that is NULL. */
static void
end_slice(struct writing *writing, int64_t time, const char *why, uint64_t object)
{
	const struct coroutine *coroutine = find(writing, writing->runs);
	char name[2 * FLIGHT_NAME_SIZE], fd[32] = "", on[48] = "";
	int64_t took = time - writing->since;

	if (writing->runs == NONE)
		return;
	if (coroutine != NULL && coroutine->fd != NONE)
		snprintf(fd, sizeof fd, " fd %u", coroutine->fd);
	if (flight_fd(object) != NONE)
		snprintf(on, sizeof on, ",\"on\":\"fd %u\"", flight_fd(object));
	else if (object != 0)
		snprintf(on, sizeof on, ",\"on\":\"0x%llx\"", (unsigned long long)object);
	put(writing->file,
		EVENT ",\"dur\":%lld.%03d,\"name\":\"%s%s\",\"cat\":\"%s\",\"args\":{"
		      "\"coroutine\":%u%s%s%s%s}}",
		EVENT_OF(writing, "X", writing->since), (long long)(took / 1000),
		(int)(took % 1000),
		writing->is_poll    ? writing->is_idle ? "idle" : "poll"
		: coroutine != NULL ? name_of(writing, coroutine->name, name, sizeof name)
				    : "loop",
		fd, writing->is_poll ? "poll" : "run", writing->runs,
		why != NULL ? ",\"until\":\"" : "", why != NULL ? why : "", why != NULL ? "\"" : "",
		on);
	writing->runs = NONE;
	writing->is_poll = false;
}

static void
begin_slice(struct writing *writing, uint32_t runs, int64_t time)
{
	writing->runs = runs;
	writing->since = time;
}

/* Both ends of a flow: from the wake to the run. */
static void
write_flow(struct writing *writing, struct coroutine *coroutine, int64_t time)
{
	unsigned long long id = ++writing->file->flows;

	coroutine->is_woken = false;
	/* Both or none. */
	if (writing->file->bytes + 2 * END_SIZE + 512 >= writing->file->limit) {
		writing->file->is_cut = true;
		return;
	}
	put(writing->file, FLOW, EVENT_OF(writing, "s", coroutine->woken_at), id, "");
	put(writing->file, FLOW, EVENT_OF(writing, "f", time), id, ",\"bp\":\"e\"");
}

static void
on_switch(struct writing *writing, const struct flight_event *event)
{
	char why[2 * FLIGHT_NAME_SIZE];
	struct coroutine *from = find(writing, writing->runs), *to;

	if (from != NULL && flight_fd(event->value) != NONE)
		from->fd = flight_fd(event->value);
	end_slice(writing, event->time, name_of(writing, event->detail >> 16, why, sizeof why),
		event->value);
	begin_slice(writing, event->who, event->time);
	to = find(writing, event->who);
	if (to == NULL)
		return;
	to->name = event->detail & 0xffff;
	if (to->is_woken)
		write_flow(writing, to, event->time);
}

static void
on_wake(struct writing *writing, const struct flight_event *event)
{
	struct coroutine *coroutine = find(writing, event->who);

	/* A wake without a slice around it would be the end of an arrow from nowhere. */
	if (coroutine == NULL || writing->runs == NONE)
		return;
	coroutine->is_woken = true;
	coroutine->woken_at = event->time;
}

/* ---- moments and counters ---- */

static void __attribute__((format(printf, 4, 5)))
write_instant(struct writing *writing, int64_t time, const char *name, const char *arguments, ...)
{
	char text[128];
	va_list list;

	va_start(list, arguments);
	vsnprintf(text, sizeof text, arguments, list);
	va_end(list);
	put(writing->file, EVENT ",\"s\":\"t\",\"name\":\"%s\",\"cat\":\"event\",\"args\":{%s}}",
		EVENT_OF(writing, "i", time), name, text);
}

static void
write_bytes(struct writing *writing, const struct flight_event *event, const char *name)
{
	struct coroutine *coroutine = find(writing, writing->runs);

	if (coroutine != NULL)
		coroutine->fd = event->detail;
	write_instant(writing, event->time, name, "\"fd\":%u,\"bytes\":%.15g", event->detail,
		(double)event->value);
}

static void
write_counter(
	struct writing *writing, int64_t time, const char *name, const char *unit, double value)
{
	put(writing->file, EVENT ",\"name\":\"%s, hub %u\",\"args\":{\"%s\":%.10g}}",
		EVENT_OF(writing, "C", time), name, writing->track->hub, unit, value);
}

static void
write_line(struct writing *writing)
{
	char safe[2 * sizeof writing->text];
	uint32_t level = writing->text_level < LOG_LEVEL_MAX ? writing->text_level : LOG_INFO;

	writing->text[writing->text_length] = '\0';
	put(writing->file,
		EVENT ",\"s\":\"t\",\"name\":\"%s\",\"cat\":\"log\",\"args\":{\"level\":\"%s\"}}",
		EVENT_OF(writing, "i", writing->text_at),
		plain_text(writing->text, safe, sizeof safe), log_level_names[level]);
}

static void
add_text(struct writing *writing, const struct flight_record *record)
{
	size_t size = writing->text_left < FLIGHT_TEXT_SIZE ? writing->text_left : FLIGHT_TEXT_SIZE;

	if (size == 0)
		return;
	writing->text_left -= size;
	if (writing->text_length + size < sizeof writing->text) {
		memcpy(writing->text + writing->text_length, &record->time, size);
		writing->text_length += size;
	}
	if (writing->text_left == 0)
		write_line(writing);
}

/* Writes what is no slice and no flow. */
static void
write_other(struct writing *writing, const struct flight_event *event)
{
	int64_t time = event->time;
	double value = (double)event->value;

	switch (event->kind) {
	case FLIGHT_ACCEPT:
		write_instant(writing, time, "accepted", "\"fd\":%u", event->detail);
		break;
	case FLIGHT_HANDOVER:
		write_instant(writing, time, "handed over", "\"fd\":%u,\"to hub\":%.15g",
			event->detail, value);
		break;
	case FLIGHT_RECEIVED:
		write_bytes(writing, event, "received");
		break;
	case FLIGHT_SENT:
		write_bytes(writing, event, "sent");
		break;
	case FLIGHT_LATE:
		write_instant(writing, time, "late", "\"coroutine\":%u,\"ms\":%.3f", event->who,
			value / 1e6);
		break;
	case FLIGHT_OFFLOAD:
		write_instant(writing, time, "offload", "\"function\":\"0x%llx\"",
			(unsigned long long)event->value);
		break;
	case FLIGHT_OPEN:
		write_counter(writing, time, "connections", "open", value);
		break;
	case FLIGHT_PERMITS:
		write_counter(writing, time, "permits", "free", (double)(int64_t)event->value);
		break;
	case FLIGHT_LAG:
		write_counter(writing, time, "lag", "ms", value / 1e6);
		break;
	default:
		break;
	}
}

/* ---- a track ---- */

static void
write_event(struct writing *writing, const struct flight_event *event)
{
	struct coroutine *coroutine;

	switch (event->kind) {
	case FLIGHT_SWITCH:
		on_switch(writing, event);
		break;
	case FLIGHT_WAKE:
		on_wake(writing, event);
		break;
	case FLIGHT_POLL:
	case FLIGHT_POLLED:
		end_slice(writing, event->time, NULL, 0);
		if (event->kind == FLIGHT_POLL)
			begin_slice(writing, 0, event->time);
		writing->is_poll = event->kind == FLIGHT_POLL;
		writing->is_idle = event->detail != 0;
		write_counter(
			writing, event->time, "run queue", "coroutines", (double)event->value);
		break;
	case FLIGHT_SPAWN:
		coroutine = find(writing, event->who);
		if (coroutine != NULL)
			*coroutine = (struct coroutine){.id = event->who,
				.is_known = true,
				.name = event->detail,
				.fd = NONE};
		/* It runs as if it had been woken. */
		on_wake(writing, event);
		break;
	case FLIGHT_LOG:
		writing->text_length = 0;
		writing->text_left = event->value;
		writing->text_at = event->time;
		writing->text_level = event->detail;
		break;
	default:
		write_other(writing, event);
	}
}

static void
write_names(struct writing *writing)
{
	const struct track *track = writing->track;

	put(writing->file,
		EVENT
		",\"name\":\"process_name\",\"args\":{\"name\":\"worker %u, generation %u%s\"}}",
		EVENT_OF(writing, "M", (int64_t)0), track->worker, track->generation,
		track->died != 0 ? ", dead" : "");
	put(writing->file, EVENT ",\"name\":\"thread_name\",\"args\":{\"name\":\"hub %u\"}}",
		EVENT_OF(writing, "M", (int64_t)0), track->hub);
}

static bool
may_go_on(const struct writing *writing)
{
	return !writing->file->is_cut && !writing->has_failed && !ferror(writing->file->stream);
}

/* Returns false without memory. */
static bool
write_track(struct trace_file *file, const struct track *track)
{
	struct writing writing = {.file = file,
		.track = track,
		.known = {.item = sizeof(struct coroutine)},
		.runs = NONE};
	struct flight_event event;
	struct walk walk;

	write_names(&writing);
	walk_begin(&walk, track, file->end);
	while (may_go_on(&writing) && walk_next(&walk, &event)) {
		/* What runs behind a gap is not known. */
		if (walk.is_behind_gap) {
			writing.runs = NONE;
			writing.is_poll = false;
			writing.text_left = 0;
		}
		if (event.kind == FLIGHT_TEXT) {
			add_text(&writing, walk.record);
			continue;
		}
		if (file->first == 0 || event.time < file->first)
			file->first = event.time;
		if (event.time > file->last)
			file->last = event.time;
		write_event(&writing, &event);
	}
	if (writing.runs != NONE)
		end_slice(&writing, walk.end, track->died != 0 ? "death" : "not yet", 0);
	known_clear(&writing.known);
	return !writing.has_failed;
}

int
trace_file_write(struct trace_file *file, const struct tracks *tracks)
{
	bool has_failed = false;

	put(file, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	for (size_t i = 0; i < tracks->count && !has_failed; i++)
		if (tracks->items[i]->count > 0)
			has_failed = !write_track(file, tracks->items[i]);
	errno = has_failed ? ENOMEM : 0;
	if (fprintf(file->stream, "\n]}\n") > 0 && fflush(file->stream) == 0 &&
		!ferror(file->stream) && !has_failed)
		return 0;
	errno = errno != 0 ? errno : EIO;
	return -1;
}
