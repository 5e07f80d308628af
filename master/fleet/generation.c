/* A leaving generation has one timer with up to two deadlines: the first ends connections at a
 * message boundary (CHANNEL_STOP), the next kills the workers. So every generation ends, whatever
 * its workers do. */
#include "master/fleet/generation.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/timer.h"
#include "master/fleet/orders.h"
#include "master/fleet/slot.h"
#include "master/say/history.h"

/* Seconds after the drain deadline in which a worker closes its connections gracefully, dismisses
 * clients that are still queued, and runs its stop hooks; that takes at most two seconds and a
 * half. */
#define STOP_GRACE 3.
#define QUIT_GRACE 1. /* seconds; more than flushing takes */

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events);

void
generation_free(struct generation *generation)
{
	for (unsigned i = 0; i < generation->count; i++)
		slot_free(generation->slots[i]);
	ev_timer_stop(generation->fleet->loop, &generation->deadline);
	free(generation->slots);
	free(generation);
}

bool
generation_reserve(struct generation *generation, unsigned count)
{
	struct slot **slots;

	CHECK_WHY(count >= generation->count, "slots beyond the end would be lost");
	slots = realloc(generation->slots, count * sizeof(struct slot *));

	if (slots != NULL)
		generation->slots = slots;
	return slots != NULL;
}

bool
generation_grow(struct generation *generation, unsigned count)
{
	if (!generation_reserve(generation, count))
		return false;
	while (generation->count < count) {
		struct slot *slot = slot_new(generation, generation->first + generation->count);

		if (slot == NULL)
			return false;
		generation->slots[generation->count++] = slot;
	}
	return true;
}

struct generation *
generation_new(struct fleet *fleet, const struct fleet_config *config, enum generation_phase phase)
{
	struct generation *generation = calloc(1, sizeof *generation);

	if (generation == NULL)
		return NULL;
	generation->fleet = fleet;
	generation->number = ++fleet->generations;
	CHECK_WHY(fleet->serving == NULL || generation->number > fleet->serving->number,
		"a later generation has a higher number");
	generation->phase = phase;
	generation->config = *config;
	ev_init(&generation->deadline, on_deadline);
	generation->deadline.data = generation;
	return generation;
}

static uint64_t
generation_open(const struct generation *generation)
{
	uint64_t open = 0;

	for (unsigned i = 0; i < generation->count; i++) {
		const struct slot *slot = generation->slots[i];

		for (unsigned hub = 0; slot->rows != NULL && hub < generation->config.threads;
			hub++)
			open += counters_open(&slot->rows[hub]);
	}
	return open;
}

static void
kill_late(struct slot *slot)
{
	enum memo_hook hook = memo_running(slot->memo);

	if (slot->pid != 0 && hook < MEMO_HOOK_MAX)
		history_note(LOG_WARNING, "%s of worker %u has not returned", memo_hook_names[hook],
			slot->index);
	slot_kill(slot);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct generation *generation = timer->data;
	uint64_t open = generation_open(generation);

	(void)events;
	CHECK_WHY(generation->phase == GENERATION_LEAVING, "only who leaves has a deadline");
	if (generation->is_stopped) {
		history_note(LOG_WARNING, "workers of generation %u do not leave; killing them",
			generation->number);
		for (unsigned i = 0; i < generation->count; i++)
			kill_late(generation->slots[i]);
		return;
	}
	history_note(LOG_WARNING, "the drain deadline of %g s has passed; closing %lu connection%s",
		clock_seconds(generation->config.drain_timeout), (unsigned long)open,
		log_plural(open, "s"));
	generation->is_stopped = true;
	timer_after(loop, timer, STOP_GRACE);
	for (unsigned i = 0; i < generation->count; i++)
		slot_leave(generation->slots[i], CHANNEL_STOP);
}

void
generation_tell_shape(struct generation *generation)
{
	for (unsigned i = 0; i < generation->count; i++)
		__atomic_store_n(&generation->slots[i]->memo->workers, generation->config.processes,
			__ATOMIC_RELAXED);
}

void
generation_retire(struct generation *generation)
{
	if (generation->phase == GENERATION_LEAVING)
		return;
	CHECK_WHY(
		generation != generation->fleet->serving && generation != generation->fleet->rising,
		"a generation is in one place of its fleet");
	generation->phase = GENERATION_LEAVING;
	generation->next = generation->fleet->leaving;
	generation->fleet->leaving = generation;
}

/* Whether each slot drains, or is dead for good. */
static bool
has_left(const struct generation *generation)
{
	for (unsigned i = 0; i < generation->count; i++)
		if (generation->slots[i]->state != SUPERVISION_DRAINING &&
			generation->slots[i]->state != SUPERVISION_DEAD)
			return false;
	return true;
}

void
generation_leave(struct generation *generation, enum channel_kind leave_message)
{
	struct fleet *fleet = generation->fleet;

	generation_retire(generation);
	/* A stop cuts the drain timeout short; any other message keeps the deadline that runs. */
	if (leave_message == CHANNEL_STOP && !generation->is_stopped)
		ev_timer_stop(fleet->loop, &generation->deadline);
	if (!ev_is_active(&generation->deadline)) {
		generation->is_stopped = leave_message == CHANNEL_STOP;
		timer_after(fleet->loop, &generation->deadline,
			generation->is_stopped ? STOP_GRACE
					       : clock_seconds(generation->config.drain_timeout));
	}
	for (unsigned i = 0; i < generation->count; i++)
		slot_leave(generation->slots[i], leave_message);
	DCHECK(has_left(generation));
	ev_timer_start(fleet->loop, &fleet->sweep);
}

static void
quit(struct slot *slot)
{
	static const struct channel_message message = {.kind = CHANNEL_QUIT};

	if (!orders_send(slot, &message, -1))
		slot_kill(slot);
	/* A worker that obeys QUIT was ended by the master, too. */
	slot->is_killed = slot->pid != 0;
}

void
generation_quit(struct generation *generation)
{
	CHECK_WHY(generation->phase == GENERATION_LEAVING, "who serves or rises has no deadline");
	timer_after(generation->fleet->loop, &generation->deadline, QUIT_GRACE);
	for (unsigned i = 0; i < generation->count; i++)
		quit(generation->slots[i]);
}

void
generation_abandon(struct generation *rising)
{
	const struct worker_heritage *heritage = &rising->config.heritage;

	CHECK(rising->phase == GENERATION_RISING && rising->fleet->rising == rising);
	rising->fleet->rising = NULL;
	rising->is_abandoned = true;
	generation_leave(rising, CHANNEL_STOP);
	/* A hook at the end may have to undo what a hook at the start has done. */
	if (heritage->hooks.worker_stop != NULL || heritage->hooks.hub_stop != NULL)
		return;
	for (unsigned i = 0; i < rising->count; i++)
		slot_kill(rising->slots[i]);
}

struct generation *
generation_make(struct fleet *fleet, const struct fleet_config *config, enum generation_phase phase)
{
	struct generation *generation = generation_new(fleet, config, phase);

	if (generation != NULL && generation_grow(generation, config->processes))
		return generation;
	if (generation != NULL)
		generation_free(generation);
	errno = ENOMEM;
	return NULL;
}

void
generation_start(struct generation *generation, unsigned from)
{
	/* A slot that fails may make the whole generation leave. */
	for (unsigned i = from; i < generation->count && generation->phase != GENERATION_LEAVING;
		i++)
		slot_event(generation->slots[i], SUPERVISION_START);
}
