/* Records are made on the hub's own thread, from the places that recorder_priv.h serves, also on
 * the stacks of coroutines: nothing here takes much of a stack, or reads a file. A function is
 * recorded by its address; its name is looked up later (debug/recording.c). */
#include "hub/recorder_priv.h"

#include <stdlib.h>

#include "hub/base/clock.h"
#include "hub/debug/hooks.h"

void
recorder_update(struct hub *hub)
{
	const struct hub_hooks *hooks = hub->hooks;

	hub->is_traced = hub->recorder != NULL || (hooks != NULL && hooks->switched != NULL);
}

/* ---- names ---- */

/* A new name of the coroutine. */
static __attribute__((noinline)) uint32_t
add_name(struct recorder *recorder, struct hub_coroutine *coroutine)
{
	uint32_t index;

	if (coroutine->name[0] != '\0')
		index = flight_name(&recorder->flight, NULL, coroutine->name);
	else
		index = flight_name(
			&recorder->flight, (const void *)(uintptr_t)coroutine->body, NULL);
	coroutine->recorded = recorder->number << 16 | index;
	return index;
}

uint32_t
recorder_name(struct recorder *recorder, struct hub_coroutine *coroutine)
{
	if (coroutine == &coroutine->hub->root)
		return FLIGHT_LOOP;
	if (coroutine->recorded >> 16 == recorder->number)
		return coroutine->recorded & 0xffff;
	return add_name(recorder, coroutine);
}

static uint32_t
index_of_word(struct recorder *recorder, const char *word)
{
	unsigned place = (unsigned)((uintptr_t)word / 4 % RECORDER_WORDS);

	if (word == NULL)
		return FLIGHT_OTHER;
	if (recorder->words[place].word != word) {
		recorder->words[place].index = flight_name(&recorder->flight, word, word);
		recorder->words[place].word = word;
	}
	return recorder->words[place].index;
}

/* Why the coroutine stops, which has its new state. */
static uint32_t
why_stopped(struct recorder *recorder, const struct hub_coroutine *from)
{
	switch (from->state) {
	case COROUTINE_WAITING:
		return index_of_word(recorder, from->waits_for);
	case COROUTINE_READY:
		return FLIGHT_YIELD;
	case COROUTINE_DONE:
		return FLIGHT_RETURN;
	default:
		return FLIGHT_DIRECT;
	}
}

/* ---- records ---- */

int64_t
recorder_time(const struct hub *hub, struct recorder *recorder)
{
	if (!hub->is_polling)
		return clock_now();
	if (recorder->polled == 0)
		recorder->polled = clock_now();
	return recorder->polled;
}

static uint64_t
who_of(const struct hub_coroutine *coroutine, uint32_t detail)
{
	return (uint64_t)detail << 32 | (uint32_t)coroutine->id;
}

void
recorder_put_at(
	struct hub *hub, enum flight_kind kind, uint32_t detail, uint64_t value, int64_t time)
{
	struct recorder *recorder = hub->recorder;

	if (recorder == NULL)
		return;
	if (kind == FLIGHT_POLL)
		recorder->polled = 0;
	flight_put(&recorder->flight, kind, (uint64_t)time, who_of(hub->current, detail), value);
}

void
recorder_put_of(struct hub *hub, enum flight_kind kind, const struct hub_coroutine *who,
	uint32_t detail, uint64_t value)
{
	struct recorder *recorder = hub->recorder;

	if (recorder != NULL)
		flight_put(&recorder->flight, kind, (uint64_t)recorder_time(hub, recorder),
			who_of(who, detail), value);
}

void
recorder_put(struct hub *hub, enum flight_kind kind, uint32_t detail, uint64_t value)
{
	recorder_put_of(hub, kind, hub->current, detail, value);
}

void
recorder_put_switch(struct hub *hub, struct hub_coroutine *to)
{
	struct recorder *recorder = hub->recorder;
	const struct hub_coroutine *from = hub->current;
	uint32_t detail = why_stopped(recorder, from) << 16 | recorder_name(recorder, to);

	recorder_put_of(hub, FLIGHT_SWITCH, to, detail,
		from->state == COROUTINE_WAITING ? (uintptr_t)from->waits_on : 0);
}

bool
recorder_put_wake(const struct hub_coroutine *coroutine, int reason)
{
	struct hub *hub = coroutine->hub;

	recorder_put_of(hub, FLIGHT_WAKE, coroutine, (uint32_t)reason, hub->current->id);
	return true;
}

void
recorder_put_spawn(struct hub *hub, struct hub_coroutine *coroutine)
{
	struct recorder *recorder = hub->recorder;

	/* Its name is given later, so the function names it until then. */
	if (recorder != NULL)
		recorder_put_of(hub, FLIGHT_SPAWN, coroutine, add_name(recorder, coroutine),
			hub->current->id);
}

void
recorder_forget(struct hub *hub)
{
	free(hub->recorder);
	hub->recorder = NULL;
	recorder_update(hub);
}
