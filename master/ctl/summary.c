/* A coroutine runs, waits or is in the run queue; each record that changes this adds the time since
 * the last one to its name, and to its request. What a gap hides is not counted. */
#include "master/ctl/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/clock.h"
#include "master/ctl/known.h"
#include "master/ctl/walk.h"

#define NONE UINT32_MAX
#define NAMES 1024 /* of coroutines and words; the first is that of all others */
#define WORDS 8    /* that are told apart; the last is that of all others */

/* Time by what it was spent on. */
struct spent {
	int64_t running, queued, waiting;
	struct {
		unsigned word;
		uint64_t times;
		int64_t time;
	} waits[WORDS];
};

struct name {
	char text[FLIGHT_NAME_SIZE];
	uint64_t runs;
	struct spent spent;
};

struct request {
	int64_t began, took;
	bool is_answered;
	uint32_t fd;
	unsigned name;
	const struct track *track;
	struct spent spent;
};

enum doing { DOING_UNKNOWN, DOING_RUN, DOING_WAIT, DOING_QUEUE };

struct coroutine {
	uint32_t id;
	unsigned name;
	enum doing doing;
	int64_t since;
	unsigned word;      /* for which it waits, or waited */
	uint32_t waits_on;  /* the descriptor, or NONE */
	int64_t woken;      /* when a wait on that ended, until it has received; 0 for never */
	uint32_t fd;        /* its requests come from there; NONE before the first */
	bool asks;          /* a request has begun */
	int64_t answered;   /* it has sent; 0: not yet */
	int64_t began;      /* of the request */
	struct spent spent; /* for the request so far */
	struct spent until; /* the answer */
};

struct summary {
	struct name *names;
	unsigned named;
	struct request requests[SUMMARY_REQUESTS]; /* the slowest first */
	unsigned requested;
	unsigned hubs;
	int64_t time, idle, first;
	bool has_failed; /* without memory */
};

/* A track while it is summed up. */
struct adding {
	struct summary *summary;
	const struct track *track;
	struct known known;
	unsigned names[FLIGHT_NAMES]; /* of the ring, in the summary, or 0 */
	uint32_t runs;                /* NONE if it is not known, 0 for the loop */
	unsigned loop;                /* its name */
	bool is_poll, is_idle;
	int64_t since; /* of the loop's run, or of the poll */
};

/* ---- names ---- */

static unsigned
name_text(struct summary *summary, const char *name)
{
	char text[FLIGHT_NAME_SIZE];
	unsigned i = 0;

	snprintf(text, sizeof text, "%s", name);
	for (char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	while (i < summary->named && strcmp(summary->names[i].text, text) != 0)
		i++;
	if (i == NAMES)
		return 0;
	if (i == summary->named) {
		strcpy(summary->names[i].text, text);
		summary->named++;
	}
	return i;
}

static unsigned
name_of(struct adding *adding, uint32_t index)
{
	uint32_t at = index < FLIGHT_NAMES ? index : FLIGHT_OTHER;

	if (adding->names[at] == 0 && adding->track->names[at][0] != '\0')
		adding->names[at] = name_text(adding->summary, adding->track->names[at]);
	return adding->names[at];
}

/* ---- time ---- */

static void
add_wait(struct spent *spent, unsigned word, int64_t time)
{
	unsigned i = 0;

	while (i < WORDS - 1 && spent->waits[i].times > 0 && spent->waits[i].word != word)
		i++;
	spent->waits[i].word = i < WORDS - 1 ? word : 0;
	spent->waits[i].times++;
	spent->waits[i].time += time;
	spent->waiting += time;
}

static void
spend(struct spent *spent, const struct coroutine *coroutine, int64_t time)
{
	int64_t took = time - coroutine->since;

	if (coroutine->doing == DOING_RUN)
		spent->running += took;
	else if (coroutine->doing == DOING_QUEUE)
		spent->queued += took;
	else if (coroutine->doing == DOING_WAIT)
		add_wait(spent, coroutine->word, took);
}

/* The coroutine does something else from that time on. */
static void
change(struct adding *adding, struct coroutine *coroutine, enum doing doing, int64_t time)
{
	struct name *name = &adding->summary->names[coroutine->name];

	spend(&name->spent, coroutine, time);
	name->runs += doing == DOING_RUN;
	if (coroutine->asks)
		spend(&coroutine->spent, coroutine, time);
	coroutine->doing = doing;
	coroutine->since = time;
}

static struct coroutine *
find(struct adding *adding, uint32_t id)
{
	struct coroutine *coroutine;

	if (id == 0 || id == NONE)
		return NULL;
	coroutine = known_find(&adding->known, id);
	if (coroutine == NULL)
		adding->summary->has_failed = true;
	else if (coroutine->since == 0)
		coroutine->fd = coroutine->waits_on = NONE;
	return coroutine;
}

/* ---- requests ---- */

/* Keeps it, if it is one of the slowest. */
static void
keep_request(struct summary *summary, const struct request *request)
{
	unsigned at = summary->requested;

	while (at > 0 && summary->requests[at - 1].took < request->took)
		at--;
	if (at == SUMMARY_REQUESTS)
		return;
	if (summary->requested < SUMMARY_REQUESTS)
		summary->requested++;
	memmove(&summary->requests[at + 1], &summary->requests[at],
		(summary->requested - at - 1) * sizeof *summary->requests);
	summary->requests[at] = *request;
}

static void
end_request(struct adding *adding, struct coroutine *coroutine, int64_t time)
{
	struct request request = {.began = coroutine->began,
		.took = (coroutine->answered != 0 ? coroutine->answered : time) - coroutine->began,
		.is_answered = coroutine->answered != 0,
		.fd = coroutine->fd,
		.name = coroutine->name,
		.track = adding->track,
		.spent = coroutine->answered != 0 ? coroutine->until : coroutine->spent};
	/* Not for its client. */
	bool has_work = coroutine->doing != DOING_WAIT || coroutine->waits_on != coroutine->fd;

	if (coroutine->asks && (request.is_answered || has_work))
		keep_request(adding->summary, &request);
	coroutine->asks = false;
}

static void
on_received(struct adding *adding, struct coroutine *coroutine, const struct flight_event *event)
{
	int64_t woken = coroutine->waits_on == event->detail ? coroutine->woken : 0;

	if (coroutine->fd == NONE)
		coroutine->fd = event->detail;
	if (coroutine->fd != event->detail || (coroutine->asks && coroutine->answered == 0))
		return;
	end_request(adding, coroutine, event->time);
	coroutine->asks = true;
	coroutine->answered = 0;
	coroutine->woken = 0;
	coroutine->began = woken != 0 ? woken : event->time;
	coroutine->spent = (struct spent){0};
	/* Its run is added as a whole when it ends. */
	if (woken != 0)
		coroutine->spent.queued = coroutine->since - woken;
	else
		coroutine->spent.running = coroutine->since - event->time;
}

static void
on_sent(struct coroutine *coroutine, const struct flight_event *event)
{
	if (!coroutine->asks || coroutine->fd != event->detail)
		return;
	coroutine->answered = event->time;
	coroutine->until = coroutine->spent;
	spend(&coroutine->until, coroutine, event->time);
}

/* ---- records ---- */

/* What ran until now. */
static void
stop(struct adding *adding, int64_t time)
{
	if (adding->runs != 0)
		return;
	if (adding->is_poll && adding->is_idle)
		adding->summary->idle += time - adding->since;
	else
		adding->summary->names[adding->loop].spent.running += time - adding->since;
}

static void
on_switch(struct adding *adding, const struct flight_event *event)
{
	struct coroutine *from = find(adding, adding->runs), *to;
	uint32_t why = event->detail >> 16;

	stop(adding, event->time);
	if (from != NULL && why >= FLIGHT_GIVEN) {
		from->word = name_of(adding, why);
		from->waits_on = flight_fd(event->value);
		from->woken = 0;
	}
	if (from != NULL)
		change(adding, from,
			why >= FLIGHT_GIVEN   ? DOING_WAIT
			: why == FLIGHT_YIELD ? DOING_QUEUE
					      : DOING_UNKNOWN,
			event->time);
	if (from != NULL && why == FLIGHT_RETURN)
		end_request(adding, from, event->time);
	adding->runs = event->who;
	adding->since = event->time;
	adding->is_poll = false;
	to = find(adding, event->who);
	if (to != NULL) {
		to->name = name_of(adding, event->detail & 0xffff);
		change(adding, to, DOING_RUN, event->time);
	}
}

static void
on_poll(struct adding *adding, const struct flight_event *event)
{
	stop(adding, event->time);
	adding->runs = 0;
	adding->since = event->time;
	adding->is_poll = event->kind == FLIGHT_POLL;
	adding->is_idle = event->detail != 0;
}

static void
on_event(struct adding *adding, const struct flight_event *event)
{
	struct coroutine *coroutine;

	switch (event->kind) {
	case FLIGHT_SWITCH:
		on_switch(adding, event);
		break;
	case FLIGHT_POLL:
	case FLIGHT_POLLED:
		on_poll(adding, event);
		break;
	case FLIGHT_WAKE:
	case FLIGHT_SPAWN:
		coroutine = find(adding, event->who);
		if (coroutine == NULL)
			break;
		if (event->kind == FLIGHT_SPAWN)
			*coroutine = (struct coroutine){.id = event->who,
				.name = name_of(adding, event->detail),
				.fd = NONE,
				.waits_on = NONE};
		change(adding, coroutine, DOING_QUEUE, event->time);
		coroutine->woken = event->time;
		break;
	case FLIGHT_RECEIVED:
	case FLIGHT_SENT:
		coroutine = find(adding, adding->runs);
		if (coroutine != NULL && event->kind == FLIGHT_RECEIVED)
			on_received(adding, coroutine, event);
		else if (coroutine != NULL)
			on_sent(coroutine, event);
		break;
	default:
		break;
	}
}

static void
add_track(struct summary *summary, const struct track *track, int64_t end)
{
	struct adding adding = {.summary = summary,
		.track = track,
		.known = {.item = sizeof(struct coroutine)},
		.runs = NONE,
		.loop = name_text(summary, "loop")};
	struct flight_event event;
	struct coroutine *coroutine;
	int64_t first = 0;
	struct walk walk;
	size_t at = 0;

	walk_begin(&walk, track, end);
	while (!summary->has_failed && walk_next(&walk, &event)) {
		if (walk.is_behind_gap) {
			known_clear(&adding.known);
			adding.runs = NONE;
		}
		if (event.kind == FLIGHT_TEXT)
			continue;
		first = first != 0 ? first : event.time;
		on_event(&adding, &event);
	}
	stop(&adding, walk.end);
	while ((coroutine = known_next(&adding.known, &at)) != NULL) {
		change(&adding, coroutine, coroutine->doing, walk.end);
		end_request(&adding, coroutine, walk.end);
	}
	known_clear(&adding.known);
	summary->hubs++;
	summary->time += first != 0 ? walk.end - first : 0;
	if (first != 0 && (summary->first == 0 || first < summary->first))
		summary->first = first;
}

/* ---- JSON ---- */

static json_t *
spent_json(const struct summary *summary, const struct spent *spent)
{
	json_t *waits = json_array();

	for (unsigned i = 0; i < WORDS && spent->waits[i].times > 0; i++)
		json_array_append_new(
			waits, json_pack("{s:s, s:I, s:f}", "for",
				       summary->names[spent->waits[i].word].text, "times",
				       (json_int_t)spent->waits[i].times, "seconds",
				       clock_seconds(spent->waits[i].time)));
	return json_pack("{s:f, s:f, s:f, s:o}", "running", clock_seconds(spent->running), "queued",
		clock_seconds(spent->queued), "waiting", clock_seconds(spent->waiting), "waits",
		waits);
}

/* Adds an object's fields to that of its times. */
static void
append(json_t *array, const struct summary *summary, const struct spent *spent, json_t *object)
{
	json_t *times = spent_json(summary, spent);

	json_object_update(object, times);
	json_decref(times);
	json_array_append_new(array, object);
}

static json_t *
summary_json(const struct summary *summary)
{
	json_t *coroutines = json_array(), *requests = json_array();

	for (unsigned i = 0; i < summary->named; i++) {
		const struct name *name = &summary->names[i];

		if (name->spent.running + name->spent.queued + name->spent.waiting > 0)
			append(coroutines, summary, &name->spent,
				json_pack("{s:s, s:I}", "name", name->text, "runs",
					(json_int_t)name->runs));
	}
	for (unsigned i = 0; i < summary->requested; i++) {
		const struct request *request = &summary->requests[i];

		append(requests, summary, &request->spent,
			json_pack("{s:s, s:i, s:I, s:I, s:I, s:f, s:f, s:b}", "name",
				summary->names[request->name].text, "pid", request->track->pid,
				"worker", (json_int_t)request->track->worker, "hub",
				(json_int_t)request->track->hub, "fd", (json_int_t)request->fd,
				"began", clock_seconds(request->began - summary->first), "seconds",
				clock_seconds(request->took), "answered", request->is_answered));
	}
	return json_pack("{s:I, s:f, s:f, s:o, s:o}", "hubs", (json_int_t)summary->hubs, "seconds",
		clock_seconds(summary->time), "idle", clock_seconds(summary->idle), "coroutines",
		coroutines, "requests", requests);
}

json_t *
summary_of(const struct tracks *tracks, int64_t end)
{
	struct summary summary = {.names = calloc(NAMES, sizeof *summary.names)};
	json_t *json = NULL;

	if (summary.names == NULL)
		return NULL;
	name_text(&summary, "other");
	for (size_t i = 0; i < tracks->count && !summary.has_failed; i++)
		if (tracks->items[i]->count > 0)
			add_track(&summary, tracks->items[i], end);
	if (!summary.has_failed)
		json = summary_json(&summary);
	free(summary.names);
	return json;
}
