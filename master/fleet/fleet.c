/* The tick looks at every worker, then works in a fixed order: measure queues, share permits, have
 * stranded clients accepted, steer. Each step uses what the step before has found. While the fleet
 * is frozen for an upgrade, none of these steps runs. */
#include "master/fleet/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet/balance.h"
#include "master/fleet/generation.h"
#include "master/fleet/heartbeat.h"
#include "master/fleet/last_permits.h"
#include "master/fleet/oom.h"
#include "master/fleet/orders.h"
#include "master/fleet/permits.h"
#include "master/fleet/reactions.h"
#include "master/fleet/seating.h"
#include "master/fleet/slot.h"
#include "worker/recorders.h"

#define ORPHANS_EVERY 20 /* ticks */
/* In addition to the hang timeout, which first ends single workers that do not get ready. */
#define RISE_MORE (2 * CLOCK_SECOND)

/* ---- the end of generations ---- */

static void
on_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct fleet *fleet = timer->data;
	struct generation **link = &fleet->leaving;

	(void)events;
	ev_timer_stop(loop, timer);
	while (*link != NULL) {
		struct generation *generation = *link;

		if (!generation_is(generation, SUPERVISION_DEAD)) {
			link = &generation->next;
			continue;
		}
		log_debug("generation %u is gone", generation->number);
		*link = generation->next;
		generation_free(generation);
	}
	fleet_give_seats_back(fleet);
	if (fleet->is_leaving && fleet->leaving == NULL) {
		CHECK_WHY(
			fleet_is_gone(fleet), "who leaves has no generation that serves or rises");
		fleet->is_leaving = false;
		fleet->events.all_gone(fleet->events.context);
	}
}

/* ---- the tick ---- */

static void
look(struct slot *slot, void *elapsed)
{
	orders_catch_up(slot);
	heartbeat_look(slot, *(int64_t *)elapsed);
}

/* Returns static text, valid until the next call. */
static const char *
explain_delay(const struct generation *rising)
{
	static char why[128];

	for (unsigned i = 0; i < rising->count; i++) {
		enum memo_hook hook = memo_running(rising->slots[i]->memo);

		if (hook == MEMO_HOOK_MAX)
			continue;
		snprintf(why, sizeof why, "%s of worker %u has not returned in time",
			memo_hook_names[hook], rising->slots[i]->index);
		return why;
	}
	return "the new workers did not get ready in time";
}

/* A generation that does not get ready must not block other changes. */
static void
drop_if_late(struct fleet *fleet, int64_t elapsed)
{
	struct generation *rising = fleet->rising;
	const char *why;
	int64_t limit;

	if (rising == NULL)
		return;
	limit = rising->config.hang_timeout > 0 ? rising->config.hang_timeout : FLEET_RISE_TIME;
	rising->seen += fleet_seen(elapsed);
	if (rising->seen < limit + RISE_MORE)
		return;
	why = explain_delay(rising);
	generation_abandon(rising);
	fleet->events.fell(fleet->events.context, why);
}

/* The time before the first tick is that of the start, and no pause. */
static void
note_pause(struct fleet *fleet, int64_t elapsed)
{
	int64_t pause = elapsed - FLEET_TICK_TIME;

	if (fleet->ticks > 0 && pause > fleet->longest_pause)
		fleet->longest_pause = pause;
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct fleet *fleet = timer->data;
	int64_t now = clock_now(), elapsed = now - fleet->ticked;

	(void)loop, (void)events;
	CHECK_WHY(elapsed >= 0, "silence and pauses are sums of what has elapsed");
	DCHECK(roster_is_consistent(fleet));
	fleet->ticked = now;
	note_pause(fleet, elapsed);
	fleet_each(fleet, look, &elapsed);
	heartbeat_look_at_fleet(fleet, elapsed);
	if (++fleet->ticks % ORPHANS_EVERY == 0) {
		/* Rows of dead masters' workers, which no other master folds. */
		counters_fold_orphans(fleet->counters);
		recorders_sweep(fleet->recorders, now);
		oom_look();
	}
	drop_if_late(fleet, elapsed);
	if (fleet->is_frozen)
		return;
	seating_tick(fleet, now);
	balance_measure(fleet);
	permits_share(fleet);
	seating_relieve(fleet);
	if (fleet->is_leaving)
		last_permits_share(fleet);
	else
		balance_steer(fleet);
}

/* ---- the fleet ---- */

int
fleet_init(struct fleet *fleet)
{
	fleet->occupants = calloc(SOCKETS_SEATS_MAX, sizeof *fleet->occupants);
	if (fleet->occupants == NULL)
		return -1;
	fleet->seats = fleet->sockets->seat_count;
	fleet->slot_events = &reactions;
	fleet->can_steer = true;
	fleet->ticked = clock_now();
	ev_timer_init(&fleet->tick, on_tick, FLEET_TICK, FLEET_TICK);
	ev_timer_init(&fleet->sweep, on_sweep, 0., 0.);
	fleet->tick.data = fleet->sweep.data = fleet;
	ev_timer_start(fleet->loop, &fleet->tick);
	oom_begin(NULL);
	return 0;
}

int
fleet_start(struct fleet *fleet, const struct fleet_config *config)
{
	CHECK_WHY(fleet->serving == NULL, "the workers of the former generation would be lost");
	fleet->serving = generation_make(fleet, config, GENERATION_SERVING);
	if (fleet->serving == NULL)
		return -1;
	generation_start(fleet->serving, 0);
	return 0;
}

void
fleet_abandon(struct fleet *fleet)
{
	if (fleet->rising != NULL)
		generation_abandon(fleet->rising);
}

void
fleet_freeze(struct fleet *fleet, bool is_frozen)
{
	fleet->is_frozen = is_frozen;
	if (is_frozen)
		generation_each(fleet->serving, fleet_revoke_slot, NULL);
	else
		/* At once, and not at the next tick: clients have queued meanwhile. */
		permits_share(fleet);
}

void
fleet_leave(struct fleet *fleet, enum channel_kind leave_message)
{
	struct generation *serving = fleet->serving;

	fleet->is_leaving = true;
	ev_timer_start(fleet->loop, &fleet->sweep);
	fleet_abandon(fleet);
	if (leave_message == CHANNEL_DRAIN) {
		sockets_drop_syns(fleet->sockets);
		/* Before the workers are told to leave. */
		seating_rescue(fleet);
	}
	if (leave_message == CHANNEL_STOP)
		for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
			generation_leave(each, leave_message);
	if (serving == NULL)
		return;
	fleet->serving = NULL;
	/* Before the workers read their message: the new master gives these permits out. */
	if (leave_message == CHANNEL_HANDOVER)
		generation_each(serving, fleet_revoke_slot, NULL);
	generation_leave(serving, leave_message);
}

int
fleet_return(struct fleet *fleet, const struct fleet_config *config)
{
	fleet->is_leaving = fleet->was_ready = false;
	fleet_retire_beyond(fleet, config);
	return fleet_start(fleet, config);
}

void
fleet_inherit(struct fleet *fleet, bool is_order_known)
{
	memset(fleet->occupants, 0, SOCKETS_SEATS_MAX * sizeof *fleet->occupants);
	balance_inherit(fleet, is_order_known);
}

bool
fleet_is_gone(const struct fleet *fleet)
{
	return fleet->serving == NULL && fleet->rising == NULL && fleet->leaving == NULL;
}

void
fleet_kill(struct fleet *fleet)
{
	fleet_leave(fleet, CHANNEL_STOP);
	for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
		generation_quit(each);
}

unsigned
fleet_dump(struct fleet *fleet, int file, int64_t number)
{
	struct channel_message dump = {.kind = CHANNEL_DUMP, .value = number};
	unsigned asked = 0;

	for (unsigned i = 0; fleet->serving != NULL && i < fleet->serving->count; i++)
		if (orders_send(fleet->serving->slots[i], &dump, file))
			asked += fleet->serving->config.threads;
	return asked;
}

static void
reopen(struct slot *slot, void *log)
{
	orders_reopen(slot, *(enum channel_log *)log);
}

void
fleet_reopen(struct fleet *fleet)
{
	enum channel_log log = CHANNEL_LOG;

	fleet_each(fleet, reopen, &log);
}

void
fleet_reopen_access(struct fleet *fleet, int file)
{
	enum channel_log log = CHANNEL_ACCESS_LOG;

	fleet->access_file = file;
	fleet_each(fleet, reopen, &log);
}

struct search {
	pid_t pid;
	struct slot *found;
};

static void
find_pid(struct slot *slot, void *context)
{
	struct search *search = context;

	if (slot->pid == search->pid)
		search->found = slot;
}

bool
fleet_reap(struct fleet *fleet, pid_t pid)
{
	struct search search = {.pid = pid};

	CHECK_WHY(pid > 0, "0 is the pid of each slot without a process");
	fleet_each(fleet, find_pid, &search);
	if (search.found == NULL)
		return false;
	slot_reap(search.found);
	return true;
}

uint64_t
fleet_open(const struct fleet *fleet)
{
	struct worker_row total = counters_total(fleet->counters);

	return counters_open(&total);
}

void
fleet_fini(struct fleet *fleet)
{
	/* fleet_init has not run, or has failed. */
	if (fleet->loop == NULL)
		return;
	CHECK(fleet->serving == NULL && fleet->rising == NULL && fleet->leaving == NULL);
	ev_timer_stop(fleet->loop, &fleet->tick);
	ev_timer_stop(fleet->loop, &fleet->sweep);
	free(fleet->occupants);
	fleet->occupants = NULL;
}
