#include "master/fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/balance.h"
#include "master/generation.h"
#include "master/heartbeat.h"
#include "master/permits.h"
#include "master/reactions.h"
#include "master/seating.h"
#include "master/slot.h"

#define ORPHANS_EVERY 20 /* ticks */
/* For all of a generation to get ready, without a hang timeout; and beyond that, since the same
 * time ends a worker that does not. */
#define RISE_TIME (30 * CLOCK_SECOND)
#define RISE_MORE (2 * CLOCK_SECOND)
#define LEAVING_MAX 16 /* generations that may drain at the same time */

/* ---- the end of generations ---- */

/* Frees what is gone. */
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
	if (fleet->is_leaving && fleet->leaving == NULL) {
		fleet->is_leaving = false;
		fleet->events.all_gone(fleet->events.context);
	}
}

/* ---- the tick ---- */

static void
look(struct slot *slot, void *elapsed)
{
	slot_catch_up(slot);
	heartbeat_look(slot, *(int64_t *)elapsed);
}

/* A generation that does not get ready must not stand in the way of other changes. */
static void
drop_if_late(struct fleet *fleet, int64_t elapsed)
{
	struct generation *rising = fleet->rising;
	int64_t limit;

	if (rising == NULL)
		return;
	limit = rising->config.hang_timeout > 0 ? rising->config.hang_timeout : RISE_TIME;
	rising->seen += fleet_seen(elapsed);
	if (rising->seen < limit + RISE_MORE)
		return;
	generation_abandon(rising);
	fleet->events.fell(fleet->events.context, "the new workers did not get ready in time");
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct fleet *fleet = timer->data;
	int64_t now = clock_now(), elapsed = now - fleet->ticked;

	(void)loop, (void)events;
	fleet->ticked = now;
	fleet_each(fleet, look, &elapsed);
	if (++fleet->ticks % ORPHANS_EVERY == 0)
		counters_fold_orphans(fleet->counters);
	drop_if_late(fleet, elapsed);
	if (fleet->is_frozen)
		return;
	balance_measure(fleet);
	seating_tick(fleet, now);
	permits_share(fleet);
	if (!fleet->is_leaving)
		balance_steer(fleet);
}

/* ---- the fleet ---- */

int
fleet_init(struct fleet *fleet)
{
	fleet->occupants = calloc(SOCKETS_SEATS_MAX, sizeof *fleet->occupants);
	if (fleet->occupants == NULL)
		return -1;
	fleet->slot_events = &reactions;
	fleet->can_steer = true;
	fleet->ticked = clock_now();
	ev_timer_init(&fleet->tick, on_tick, FLEET_TICK, FLEET_TICK);
	ev_timer_init(&fleet->sweep, on_sweep, 0., 0.);
	fleet->tick.data = fleet->sweep.data = fleet;
	ev_timer_start(fleet->loop, &fleet->tick);
	return 0;
}

int
fleet_start(struct fleet *fleet, const struct fleet_config *config)
{
	fleet->serving = generation_make(fleet, config, GENERATION_SERVING);
	if (fleet->serving == NULL)
		return -1;
	generation_start(fleet->serving, 0);
	return 0;
}

static const char *
explain_grow(void)
{
	switch (errno) {
	case EPERM:
		return "privileges were dropped, and no more listening sockets can be bound: as "
		       "many as 64 hubs, or as the server was started with, have one; restart it "
		       "with the larger numbers";
	case EINVAL:
		return SOCKETS_TOO_MANY;
	default:
		return "the listening sockets cannot be bound (file limit?)";
	}
}

int
fleet_rise(struct fleet *fleet, const struct fleet_config *config, const char **why)
{
	unsigned leaving = 0;

	for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
		leaving++;
	*why = "the server is stopping";
	if (fleet->is_leaving)
		return -1;
	*why = "another change is under way; try again when it is done";
	if (fleet->rising != NULL)
		return -1;
	*why = "too many former generations still drain; wait, or use a shorter --drain-timeout";
	if (leaving >= LEAVING_MAX)
		return -1;
	if (sockets_grow(fleet->sockets, config->processes * config->threads) != 0) {
		*why = explain_grow();
		return -1;
	}
	*why = "no memory";
	fleet->rising = generation_make(fleet, config, GENERATION_RISING);
	if (fleet->rising == NULL)
		return -1;
	generation_start(fleet->rising, 0);
	return 0;
}

static void
revoke_slot(struct slot *slot, void *unused)
{
	(void)unused;
	permits_revoke(slot);
}

/* No hub of such a generation will sit on the seats beyond. */
static void
retire_beyond(struct fleet *fleet, const struct fleet_config *config)
{
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		if (fleet->sockets->order[i] >= config->processes * config->threads)
			seating_retire(fleet, fleet->sockets->order[i]);
}

void
fleet_commit(struct fleet *fleet)
{
	struct generation *former = fleet->serving, *risen = fleet->rising;

	risen->phase = GENERATION_SERVING;
	fleet->serving = risen;
	fleet->rising = NULL;
	fleet->has_served = fleet->was_ready = true;
	/* The former one opens nothing from here on; who comes meanwhile is queued. */
	generation_each(former, revoke_slot, NULL);
	if (former != NULL)
		generation_retire(former);
	for (unsigned i = 0; i < risen->count; i++)
		seating_sit(risen->slots[i]);
	retire_beyond(fleet, &risen->config);
	permits_share(fleet);
	for (unsigned i = 0; i < risen->count; i++)
		slot_accept(risen->slots[i]);
	balance_steer(fleet);
	if (former != NULL)
		generation_leave(former, CHANNEL_HANDOVER);
	seating_adopt(fleet);
}

void
fleet_abandon(struct fleet *fleet)
{
	if (fleet->rising != NULL)
		generation_abandon(fleet->rising);
}

/* Moves the last slots to a generation of their own, which leaves. */
static int
shrink(struct generation *serving, unsigned processes)
{
	struct fleet *fleet = serving->fleet;
	struct generation *part = generation_new(fleet, &serving->config, GENERATION_SERVING);
	unsigned moved = serving->count - processes;

	if (part != NULL)
		part->slots = malloc(moved * sizeof(struct slot *));
	if (part == NULL || part->slots == NULL) {
		free(part);
		return -1;
	}
	part->number = serving->number;
	fleet->generations--;
	memcpy(part->slots, serving->slots + processes, moved * sizeof(struct slot *));
	part->count = moved;
	serving->count = processes;
	for (unsigned i = 0; i < moved; i++) {
		part->slots[i]->generation = part;
		revoke_slot(part->slots[i], NULL);
		for (unsigned hub = 0; hub < part->config.threads; hub++)
			seating_retire(fleet, slot_seat(part->slots[i], hub));
	}
	balance_steer(fleet);
	generation_leave(part, CHANNEL_HANDOVER);
	seating_adopt(fleet);
	return 0;
}

int
fleet_resize(struct fleet *fleet, unsigned processes, const char **why)
{
	struct generation *serving = fleet->serving;
	unsigned before;

	*why = "the server is stopping";
	if (fleet->is_leaving || serving == NULL)
		return -1;
	*why = "another change is under way; try again when it is done";
	if (fleet->rising != NULL)
		return -1;
	if (sockets_grow(fleet->sockets, processes * serving->config.threads) != 0) {
		*why = explain_grow();
		return -1;
	}
	before = serving->count;
	*why = "no memory";
	if (processes < before && shrink(serving, processes) != 0)
		return -1;
	if (processes > before) {
		if (!generation_grow(serving, processes))
			return -1;
		generation_start(serving, before);
	}
	serving->config.processes = processes;
	return 0;
}

void
fleet_freeze(struct fleet *fleet, bool is_frozen)
{
	fleet->is_frozen = is_frozen;
	if (is_frozen)
		generation_each(fleet->serving, revoke_slot, NULL);
	else
		permits_share(fleet);
}

void
fleet_leave(struct fleet *fleet, enum channel_kind farewell)
{
	struct generation *serving = fleet->serving;

	fleet->is_leaving = true;
	ev_timer_start(fleet->loop, &fleet->sweep);
	fleet_abandon(fleet);
	if (farewell == CHANNEL_DRAIN) {
		sockets_deafen(fleet->sockets);
		/* Before the others hear that they are to leave. */
		seating_adopt(fleet);
	}
	if (farewell == CHANNEL_STOP)
		for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
			generation_leave(each, farewell);
	if (serving == NULL)
		return;
	fleet->serving = NULL;
	if (farewell == CHANNEL_HANDOVER)
		generation_each(serving, revoke_slot, NULL);
	generation_leave(serving, farewell);
}

int
fleet_return(struct fleet *fleet, const struct fleet_config *config)
{
	fleet->is_leaving = fleet->was_ready = false;
	retire_beyond(fleet, config);
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

static void
kill_slot(struct slot *slot, void *unused)
{
	(void)unused;
	slot_kill(slot);
}

void
fleet_kill(struct fleet *fleet)
{
	fleet_leave(fleet, CHANNEL_STOP);
	fleet_each(fleet, kill_slot, NULL);
}

unsigned
fleet_dump(struct fleet *fleet, int file, int64_t number)
{
	struct channel_message dump = {.kind = CHANNEL_DUMP, .value = number};
	unsigned asked = 0;

	for (unsigned i = 0; fleet->serving != NULL && i < fleet->serving->count; i++)
		if (slot_tell(fleet->serving->slots[i], &dump, file))
			asked += fleet->serving->config.threads;
	return asked;
}

static void
reopen(struct slot *slot, void *file)
{
	struct channel_message message = {.kind = CHANNEL_REOPEN};

	slot_tell(slot, &message, *(int *)file);
}

void
fleet_reopen(struct fleet *fleet, int file)
{
	fleet_each(fleet, reopen, &file);
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

	fleet_each(fleet, find_pid, &search);
	if (search.found == NULL)
		return false;
	/* Messages first: a death may be the answer to one. */
	ev_invoke(fleet->loop, &search.found->talk, EV_READ);
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
	if (fleet->loop == NULL)
		return;
	CHECK(fleet->serving == NULL && fleet->rising == NULL && fleet->leaving == NULL);
	ev_timer_stop(fleet->loop, &fleet->tick);
	ev_timer_stop(fleet->loop, &fleet->sweep);
	free(fleet->occupants);
	fleet->occupants = NULL;
}
