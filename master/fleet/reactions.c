/* The order within a reaction matters: seats first, then permits, then ACCEPT, then steering, so
 * that no connection is steered to a hub that cannot accept it yet. */
#include "master/fleet/reactions.h"

#include <stdio.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "master/fleet/backoff.h"
#include "master/fleet/balance.h"
#include "master/fleet/generation.h"
#include "master/fleet/orders.h"
#include "master/fleet/permits.h"
#include "master/fleet/seating.h"
#include "master/fleet/slot.h"
#include "master/say/history.h"
#include "worker/recorders.h"

#define FAILURES_AT_FIRST_BOOT 10 /* of one slot, before any worker was ever ready */

/* Reports risen or all_ready if this slot was the last that its generation waited for. */
static void
tell_if_all_ready(struct slot *slot)
{
	struct generation *generation = slot->generation;
	struct fleet *fleet = generation->fleet;

	/* Perhaps not for the first time: a slot may have been hung and ready again. */
	if (generation->phase == GENERATION_RISING) {
		if (generation_is_ready(generation))
			fleet->events.risen(fleet->events.context);
		return;
	}
	fleet->has_served = true;
	if (fleet->was_ready || generation != fleet->serving || !generation_is_ready(generation))
		return;
	fleet->was_ready = true;
	fleet->events.all_ready(fleet->events.context);
}

static void
on_serves(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	if (slot->generation->phase == GENERATION_SERVING) {
		/* The worker was killed: it has not served, and does not count. */
		if (!seating_sit(slot))
			return;
		permits_share(fleet);
		orders_accept(slot);
		balance_steer(fleet);
	}
	tell_if_all_ready(slot);
}

static void
on_suspect(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	balance_steer(fleet);
	seating_rescue(fleet);
}

static void
on_rejoined(struct slot *slot)
{
	history_note(LOG_INFO, "worker %u (pid %d) gives signs of life again", slot->index,
		(int)slot->pid);
	balance_steer(slot->generation->fleet);
	tell_if_all_ready(slot);
}

/* The hub has emptied its queue before it stopped accepting, so its seat may leave the group when
 * the server drains. */
static void
on_drained(struct slot *slot, unsigned hub)
{
	log_debug("hub %u of worker %u accepts no more", hub, slot->index);
	seating_leave(slot, hub);
	if (slot->leave_message == CHANNEL_DRAIN)
		sockets_leave_group(slot->generation->fleet->sockets, slot_seat(slot, hub));
}

static void
on_lost(struct slot *slot)
{
	CHECK_WHY(slot->pid == 0 && slot->rows != NULL, "what a process leaves is its rows");
	recorders_bury(
		slot->generation->fleet->recorders, slot->rings, slot->generation->config.threads);
	slot->rings = -1;
	permits_lose(slot);
	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++)
		seating_leave(slot, hub);
	seating_forget(slot);
}

/* While no hub serves, the pauses of all slots are short. */
static void
hasten(struct fleet *fleet)
{
	for (unsigned i = 0; fleet_living(fleet) == 0 && i < fleet->serving->count; i++)
		slot_hasten(fleet->serving->slots[i], BACKOFF_MAX_ALONE);
}

/* Returns static text, valid until the next call. */
static const char *
explain_fall(const struct slot *slot)
{
	static char why[MEMO_WHY_SIZE];
	const char *refusal = memo_why(slot->memo);
	enum memo_hook hook = memo_running(slot->memo);

	if (slot->fork_error != 0)
		snprintf(why, sizeof why,
			"worker %u cannot be forked: %s (limit on processes, files, their size or "
			"memory?)",
			slot->index, strerror(slot->fork_error));
	else if (refusal != NULL)
		snprintf(why, sizeof why, "%s", refusal);
	else
		snprintf(why, sizeof why, "worker %u died %s%s; the log says why", slot->index,
			hook < MEMO_HOOK_MAX ? "in " : "while it started",
			hook < MEMO_HOOK_MAX ? memo_hook_names[hook] : "");
	return why;
}

/* Whether the service has objected to the server's first start. Later generations replace one that
 * has served: their workers are started again. */
static bool
is_refused_by_service(const struct slot *slot)
{
	return slot->generation->number == 1 && !slot->generation->fleet->was_ready &&
	       slot->fork_error == 0 && memo_why(slot->memo) != NULL;
}

static void
on_failed(struct slot *slot)
{
	struct generation *generation = slot->generation;
	struct fleet *fleet = generation->fleet;
	const char *why = memo_why(slot->memo);

	CHECK_WHY(generation->phase != GENERATION_LEAVING, "who leaves is not replaced");
	if (generation == fleet->rising) {
		generation_abandon(generation);
		fleet->events.fell(fleet->events.context, explain_fall(slot));
	} else if (is_refused_by_service(slot)) {
		history_note(LOG_ERROR, "cannot start: %s", why);
		fleet->events.hopeless(fleet->events.context);
	} else if (!fleet->has_served && slot->failures >= FAILURES_AT_FIRST_BOOT) {
		history_note(LOG_ERROR, "no worker could start in %u tries each; giving up",
			slot->failures);
		fleet->events.hopeless(fleet->events.context);
	} else if (generation == fleet->serving) {
		if (slot->fork_error == 0 && why != NULL)
			history_note(LOG_ERROR, "%s", why);
		hasten(fleet);
	}
	/* Other workers accept the clients queued at this slot's seats meanwhile. */
	balance_steer(fleet);
	seating_rescue(fleet);
}

static void
on_gone(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	CHECK_WHY(slot->state == SUPERVISION_DEAD, "on_sweep frees the slot");
	/* No worker will follow: when the queues are empty, the seats leave the group, and new
	 * connections are refused. */
	if (slot->leave_message == CHANNEL_DRAIN ||
		(fleet->is_leaving && slot->leave_message == CHANNEL_STOP))
		for (unsigned hub = 0; hub < slot->generation->config.threads; hub++)
			if (fleet->occupants[slot_seat(slot, hub)].slot == NULL)
				seating_retire(fleet, slot_seat(slot, hub));
	ev_timer_start(fleet->loop, &fleet->sweep);
}

const struct slot_events reactions = {
	.serves = on_serves,
	.suspect = on_suspect,
	.rejoined = on_rejoined,
	.drained = on_drained,
	.lost = on_lost,
	.failed = on_failed,
	.gone = on_gone,
};
