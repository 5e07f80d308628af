/* Reads rows only: no message to a worker and no answer from one is needed, so a hung worker cannot
 * delay its own detection. */
#include "master/fleet/heartbeat.h"

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet/slot.h"
#include "master/say/history.h"

#define BUSY_FADE 0.8

/* Updates the hub's share of busy time. The counter grows only when the hub polls; a hub that has
 * not polled since the last look was busy all the time. */
static void
measure_busy(struct slot_hub *hub, const struct worker_row *row, int64_t elapsed)
{
	uint64_t busy = counters_read(&row->hub.busy);
	int64_t since = __atomic_load_n(&row->hub.busy_since, __ATOMIC_RELAXED);
	double share = elapsed > 0 ? (double)(busy - hub->busy_seen) / (double)elapsed : 0;

	if (since != 0 && clock_now() - since >= elapsed)
		share = 1;
	if (share > 1)
		share = 1;
	hub->busy_seen = busy;
	hub->busy = hub->busy * BUSY_FADE + share * (1 - BUSY_FADE);
	CHECK(hub->busy >= 0 && hub->busy <= 1);
}

/* Returns whether the hub is newly hung. */
static bool
look_at(struct slot_hub *hub, const struct worker_row *row, int64_t elapsed)
{
	int64_t heartbeat = __atomic_load_n(&row->heartbeat, __ATOMIC_RELAXED);

	DCHECK(!hub->is_hung || hub->silent >= HEARTBEAT_HUNG);
	measure_busy(hub, row, elapsed);
	if (heartbeat != hub->heartbeat) {
		hub->heartbeat = heartbeat;
		hub->silent = 0;
		hub->is_hung = false;
		return false;
	}
	hub->silent += fleet_seen(elapsed);
	if (hub->is_hung || hub->silent < HEARTBEAT_HUNG)
		return false;
	hub->is_hung = true;
	return true;
}

/* A starting worker has no heartbeats yet: hub 0 counts the time until all hubs are ready. */
static void
look_at_start(struct slot *slot, int64_t elapsed)
{
	int64_t limit = slot->generation->config.hang_timeout;

	slot->hubs[0].silent += fleet_seen(elapsed);
	if (limit > 0 && slot->hubs[0].silent >= limit) {
		slot->hubs[0].silent = 0;
		slot->is_killed = true;
		slot_event(slot, SUPERVISION_HANG_TIMEOUT);
	}
}

/* A hung hub of a draining worker is left to the generation's deadline; is_hung lets another worker
 * adopt its queue. */
static void
look_at_draining(struct slot *slot, int64_t elapsed)
{
	for (unsigned i = 0; i < slot->generation->config.threads; i++)
		if (look_at(&slot->hubs[i], &slot->rows[i], elapsed))
			log_debug("hub %u of worker %u (pid %d), which drains, gives no sign of "
				  "life",
				i, slot->index, (int)slot->pid);
}

void
heartbeat_look(struct slot *slot, int64_t elapsed)
{
	struct fleet *fleet = slot->generation->fleet;
	bool is_newly_hung = false, is_hung = false;
	int64_t silent = 0, limit = slot->generation->config.hang_timeout;

	if (slot->state == SUPERVISION_STARTING)
		look_at_start(slot, elapsed);
	if (slot->state == SUPERVISION_DRAINING)
		look_at_draining(slot, elapsed);
	if (slot->state != SUPERVISION_READY && slot->state != SUPERVISION_HUNG)
		return;
	for (unsigned i = 0; i < slot->generation->config.threads; i++) {
		struct slot_hub *hub = &slot->hubs[i];

		if (look_at(hub, &slot->rows[i], elapsed)) {
			is_newly_hung = true;
			counters_note(&counters_server(fleet->counters)->hangs, 1);
			history_note(LOG_WARNING,
				"hub %u of worker %u (pid %d) gives no sign of life; it gets no "
				"new connections",
				i, slot->index, (int)slot->pid);
		}
		is_hung = is_hung || hub->is_hung;
		if (hub->silent > silent)
			silent = hub->silent;
	}
	if (is_newly_hung)
		slot_event(slot, SUPERVISION_SILENT);
	else if (!is_hung && slot->state == SUPERVISION_HUNG)
		slot_event(slot, SUPERVISION_HEARD);
	DCHECK(is_hung == (slot->state == SUPERVISION_HUNG));
	if (is_hung && limit > 0 && silent >= limit && !slot->is_killed) {
		slot->is_killed = true;
		slot_event(slot, SUPERVISION_HANG_TIMEOUT);
	}
}

void
heartbeat_look_at_fleet(struct fleet *fleet, int64_t elapsed)
{
	/* Reset only by a hub that serves, not by each worker that starts: workers that keep dying
	 * must not count as live for ever. */
	if (fleet_living(fleet) > 0)
		fleet->replacing = 0;
	else if (fleet_is_replacing(fleet))
		fleet->replacing += fleet_seen(elapsed);
}
