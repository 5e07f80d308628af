/* Starting and stopping a hub's recorder (recorder.c), and what others than the hub's modules
 * record. */
#include "hub/debug/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/debug/symbol_priv.h"
#include "hub/recorder_priv.h"
#include "hub/scheduler_priv.h"

static uint32_t numbers; /* of recorders so far, in all threads */

int
recording_start(struct flight_ring *ring, size_t size)
{
	struct hub *hub = hub_running;
	struct recorder *recorder;

	if (hub == NULL)
		return failed(EPERM);
	if (hub->recorder != NULL)
		return failed(EALREADY);
	if (flight_records(size) == 0)
		return failed(EINVAL);
	recorder = calloc(1, sizeof *recorder);
	if (recorder == NULL)
		return failed(ENOMEM);
	/* From 1 to 0xffff. */
	recorder->number = __atomic_fetch_add(&numbers, 1, __ATOMIC_RELAXED) % 0xffff + 1;
	flight_open(&recorder->flight, ring, size);
	hub->recorder = recorder;
	recorder_update(hub);
	/* Who runs, for readers. */
	if (hub->current != &hub->root)
		recorder_put_of(hub, FLIGHT_SWITCH, hub->current,
			FLIGHT_OTHER << 16 | recorder_name(recorder, hub->current), 0);
	return 0;
}

void
recording_stop(void)
{
	if (hub_this != NULL)
		recorder_forget(hub_this);
}

bool
recording_is_on(void)
{
	return hub_this != NULL && hub_this->recorder != NULL;
}

void
recording_note(enum flight_kind kind, uint32_t detail, uint64_t value)
{
	if (hub_this != NULL)
		record(hub_this, kind, detail, value);
}

void
recording_note_text(uint32_t detail, const char *text, size_t length)
{
	struct hub *hub = hub_this;

	if (hub != NULL && hub->recorder != NULL)
		flight_put_text(&hub->recorder->flight, (uint64_t)recorder_time(hub, hub->recorder),
			(uint64_t)detail << 32 | (uint32_t)hub->current->id, text, length);
}

static void *
name_functions(void *argument)
{
	struct flight_ring *ring = ((struct recorder *)argument)->flight.ring;

	for (uint32_t i = FLIGHT_GIVEN; i < ring->named && i < FLIGHT_NAMES; i++) {
		struct flight_name *name = &ring->names[i];
		char text[FLIGHT_NAME_SIZE];
		size_t offset;

		if (name->is_named)
			continue;
		if (symbol_find((const void *)(uintptr_t)name->address, text, sizeof text,
			    &offset) == 0)
			snprintf(text, sizeof text, "0x%llx", (unsigned long long)name->address);
		flight_set_name(ring, i, text);
	}
	return NULL;
}

void
recording_name_functions(void)
{
	struct hub *hub = hub_this;

	if (hub == NULL || hub->recorder == NULL)
		return;
	if (hub->current != &hub->root)
		hub_call_on_root(name_functions, hub->recorder);
	else
		name_functions(hub->recorder);
}
