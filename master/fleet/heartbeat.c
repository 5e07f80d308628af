/* Reads rows only: no message to a worker and no answer from one is needed, so a hung worker cannot
 * delay its own detection. */
#include "master/fleet/heartbeat.h"

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet/permits.h"
#include "master/fleet/slot.h"
#include "master/say/history.h"

#define BUSY_FADE 0.8
/* Nanoseconds of silence from which on the hub's thread is looked at: twice the pulse. */
#define HEARTBEAT_LATE (200 * CLOCK_MILLISECOND)
/* A hub that has had a CPU for this part of the time after which it hangs is not starved. */
#define ENOUGH_PART 5
#define SAY_STARVED_EVERY (60 * CLOCK_SECOND)

/* Updates the hub's share of busy time. The counter grows only when the hub polls; a hub that has
 * not polled since the last look was busy all the time. */
static void
measure_busy(struct slot_hub *hub, const struct worker_row *row, int64_t elapsed)
{
	uint64_t busy = counters_read(&row->hub.busy);
	int64_t since = __atomic_load_n(&row->hub.busy_since, __ATOMIC_RELAXED);
	double share = elapsed > 0 ? (double)(busy - hub->busy_seen) / (double)elapsed : 0;

	if (since != 0 && since <= clock_now() - elapsed)
		share = 1;
	if (share > 1)
		share = 1;
	hub->busy_seen = busy;
	hub->busy = hub->busy * BUSY_FADE + share * (1 - BUSY_FADE);
	CHECK(hub->busy >= 0 && hub->busy <= 1);
}

/* Says, now and then, that a hub would hang if it had had a CPU. */
static void
note_starved(const struct slot *slot, unsigned hub)
{
	struct fleet *fleet = slot->generation->fleet;
	int64_t now = clock_now();

	if (now < fleet->next_starved)
		return;
	fleet->next_starved = now + SAY_STARVED_EVERY;
	history_note(LOG_WARNING,
		"hub %u of worker %u (pid %d) waits for a CPU, %lld ms so far, and so does not "
		"count as hung: the machine is overloaded, or its limit on CPU time is too low",
		hub, slot->index, (int)slot->pid,
		(long long)(slot->hubs[hub].starvation.waited / CLOCK_MILLISECOND));
}

static bool
crosses(int64_t before, int64_t after, int64_t limit)
{
	return limit > 0 && before < limit && after >= limit;
}

/* Lets a hub be silent for longer. Before the silence has consequences, the time in which the
 * hub's thread has waited for a CPU is taken from it, so that only hubs that are silent already
 * cost a reading. */
static void
count_silence(struct slot *slot, unsigned index, pid_t thread, int64_t elapsed, int64_t enough)
{
	const int64_t limits[] = {
		HEARTBEAT_LATE, HEARTBEAT_HUNG, FLEET_LIFE, slot->generation->config.hang_timeout};
	struct slot_hub *hub = &slot->hubs[index];
	int64_t before = hub->silent;
	struct cpu_time now;
	bool is_due = false;

	hub->silent += fleet_seen(elapsed);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		is_due = is_due || crosses(before, hub->silent, limits[i]);
	if (!is_due || thread == 0)
		return;
	before = hub->silent;
	hub->silent = starvation_judge(&hub->starvation,
		cpu_time_read(slot->pid, thread, &now) ? &now : NULL, before, enough);
	if (hub->silent < before)
		counters_note(&counters_server(slot->generation->fleet->counters)->starved,
			(uint64_t)(before - hub->silent));
	if (before >= HEARTBEAT_HUNG && hub->silent < HEARTBEAT_HUNG)
		note_starved(slot, index);
}

/* Returns whether the hub is newly hung. */
static bool
look_at(struct slot *slot, unsigned index, int64_t elapsed)
{
	struct slot_hub *hub = &slot->hubs[index];
	const struct worker_row *row = &slot->rows[index];
	int64_t heartbeat = __atomic_load_n(&row->heartbeat, __ATOMIC_RELAXED);

	DCHECK(!hub->is_hung || hub->silent >= HEARTBEAT_HUNG);
	measure_busy(hub, row, elapsed);
	if (heartbeat != hub->heartbeat) {
		hub->heartbeat = heartbeat;
		hub->silent = 0;
		hub->starvation = (struct starvation){0};
		hub->is_hung = false;
		return false;
	}
	count_silence(slot, index, __atomic_load_n(&row->thread, __ATOMIC_RELAXED), elapsed,
		HEARTBEAT_HUNG / ENOUGH_PART);
	if (hub->is_hung || hub->silent < HEARTBEAT_HUNG)
		return false;
	hub->is_hung = true;
	return true;
}

/* A starting worker has no heartbeats yet: hub 0 counts the time until all hubs are ready. Its
 * thread is the process's own. */
static void
look_at_start(struct slot *slot, int64_t elapsed)
{
	int64_t limit = slot->generation->config.hang_timeout;

	count_silence(slot, 0, slot->pid, elapsed, limit / ENOUGH_PART);
	if (limit > 0 && slot->hubs[0].silent >= limit) {
		slot->hubs[0].silent = 0;
		slot->hubs[0].starvation = (struct starvation){0};
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
		if (look_at(slot, i, elapsed))
			log_debug("hub %u of worker %u (pid %d), which drains, gives no sign of "
				  "life",
				i, slot->index, (int)slot->pid);
}

/* Its rows were overwritten, by this worker or another: it serves on. */
static void
mend(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	if (!counters_mend(fleet->counters, slot->rows, slot->generation->config.threads))
		return;
	permits_renew(slot);
	history_note(LOG_ERROR,
		"the counters of worker %u (pid %d) were overwritten: some worker writes where it "
		"must not; what was counted is wrong, and --max-connections may be exceeded until "
		"the next reload",
		slot->index, (int)slot->pid);
}

void
heartbeat_look(struct slot *slot, int64_t elapsed)
{
	struct fleet *fleet = slot->generation->fleet;
	bool is_newly_hung = false, is_hung = false;
	int64_t silent = 0, limit = slot->generation->config.hang_timeout;

	if (slot->rows != NULL)
		mend(slot);
	if (slot->state == SUPERVISION_STARTING)
		look_at_start(slot, elapsed);
	if (slot->state == SUPERVISION_DRAINING)
		look_at_draining(slot, elapsed);
	if (slot->state != SUPERVISION_READY && slot->state != SUPERVISION_HUNG)
		return;
	for (unsigned i = 0; i < slot->generation->config.threads; i++) {
		struct slot_hub *hub = &slot->hubs[i];

		if (look_at(slot, i, elapsed)) {
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
