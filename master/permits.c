#include "master/permits.h"

#include <stdio.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/events.h"

#define WARN_EVERY (10 * CLOCK_SECOND)
/* What moves at once to a hub that has none, from one that has many. */
#define HALF(number) (((number) + 1) / 2)

uint64_t
permits_limit(const struct fleet *fleet)
{
	const struct generation *serving = fleet->serving;
	uint64_t limit = 0;

	if (serving == NULL)
		return 0;
	if (serving->config.max_connections != 0)
		return serving->config.max_connections;
	for (unsigned i = 0; i < serving->count; i++)
		limit += (uint64_t)serving->slots[i]->capacity;
	return limit;
}

static int64_t
free_of(const struct worker_row *row)
{
	return __atomic_load_n(&row->permits, __ATOMIC_RELAXED);
}

/* All that the process has becomes so much more or less; another master reads it, too. */
static void
account(struct slot *slot, int64_t change)
{
	slot->granted += change;
	if (slot->rows != NULL)
		__atomic_store_n(&slot->rows[0].granted, slot->granted, __ATOMIC_RELAXED);
}

void
permits_revoke(struct slot *slot)
{
	for (unsigned hub = 0; slot->rows != NULL && hub < slot->generation->config.threads; hub++)
		account(slot, -counters_take_permits(&slot->rows[hub], INT64_MAX));
}

void
permits_lose(struct slot *slot)
{
	permits_revoke(slot);
	/* One is taken before each accept, so these are all that it may have accepted. */
	if (slot->granted > 0)
		counters_note(&counters_server(slot->generation->fleet->counters)->lost,
			(uint64_t)slot->granted);
	account(slot, -slot->granted);
}

/* ---- what there is ---- */

static void
take_back(struct slot *slot, void *granted)
{
	/* One that drains for good still takes what is queued. */
	if (slot->state == SUPERVISION_DRAINING && slot->farewell != CHANNEL_DRAIN)
		permits_revoke(slot);
	*(int64_t *)granted += slot->granted;
}

/* What the workers of another master have, which drain. */
static int64_t
granted_elsewhere(const struct fleet *fleet)
{
	const struct counters *counters = fleet->counters;
	int64_t granted = 0;

	for (uint32_t i = 0; i < counters->used; i++) {
		const struct worker_row *row = &counters->rows[i];

		if (row->state == ROW_LIVE && !counters_is_own(row))
			granted += __atomic_load_n(&row->granted, __ATOMIC_RELAXED);
	}
	return granted;
}

/* ---- who gets it ---- */

struct hub_share {
	struct slot *slot;
	struct worker_row *row;
	unsigned queued;
	bool was_given; /* in this pass, so it is not to be taken away again */
};

/* Hubs that accept, by seat. */
struct hubs {
	struct hub_share at[SOCKETS_SEATS_MAX];
	unsigned count;
};

static void
collect(const struct occupant *occupant, void *context)
{
	struct hubs *hubs = context;

	hubs->at[hubs->count++] =
		(struct hub_share){occupant->slot, occupant_row(occupant), occupant->queued, false};
}

/* How many more the process may have. */
static int64_t
room_of(const struct slot *slot)
{
	return slot->capacity - slot->granted;
}

static void
grant(struct hub_share *hub, int64_t count)
{
	if (count > room_of(hub->slot))
		count = room_of(hub->slot);
	if (count <= 0)
		return;
	account(hub->slot, count);
	counters_give_permits(hub->row, count);
	hub->was_given = true;
}

/* Without a limit of the server, each process has as many as its own file limit allows. */
static void
fill_up(struct hubs *hubs)
{
	for (unsigned i = 0; i < hubs->count; i++) {
		struct slot *slot = hubs->at[i].slot;
		int64_t room = room_of(slot), threads = slot->generation->config.threads;

		grant(&hubs->at[i], room < threads ? room : room / threads);
	}
}

/* The hub that has least, among those whose process may have more. */
static struct hub_share *
find_poorest(struct hubs *hubs)
{
	struct hub_share *poorest = NULL;

	for (unsigned i = 0; i < hubs->count; i++)
		if (room_of(hubs->at[i].slot) > 0 &&
			(poorest == NULL || free_of(hubs->at[i].row) < free_of(poorest->row)))
			poorest = &hubs->at[i];
	return poorest;
}

/* Equal parts; of what is left over, one each to those that have least. */
static void
share_out(struct hubs *hubs, int64_t available)
{
	int64_t part = available / hubs->count, rest = available % hubs->count;

	for (unsigned i = 0; i < hubs->count && part > 0; i++)
		grant(&hubs->at[i], part);
	for (struct hub_share *poorest; rest > 0 && (poorest = find_poorest(hubs)) != NULL; rest--)
		grant(poorest, 1);
}

/* What a hub has beyond what its own queue needs. */
static int64_t
spare_of(const struct hub_share *hub)
{
	return hub->was_given ? 0 : free_of(hub->row) - (int64_t)hub->queued;
}

/* The hub that has most to spare; of that process alone, where that is not NULL. */
static struct hub_share *
find_richest(struct hubs *hubs, const struct slot *of)
{
	struct hub_share *richest = NULL;
	int64_t most = 0;

	for (unsigned i = 0; i < hubs->count; i++) {
		if ((of != NULL && hubs->at[i].slot != of) || spare_of(&hubs->at[i]) <= most)
			continue;
		richest = &hubs->at[i];
		most = spare_of(richest);
	}
	return richest;
}

/* A hub with clients who wait and no permit gets some of those that another one has to spare; of a
 * sibling's, if its process may hold no more. */
static void
help_out(struct hubs *hubs, struct hub_share *poor)
{
	int64_t room = room_of(poor->slot), wanted, taken;
	struct hub_share *rich = find_richest(hubs, room > 0 ? NULL : poor->slot);

	if (rich == NULL)
		return;
	wanted = HALF(spare_of(rich));
	if (wanted < (int64_t)poor->queued && spare_of(rich) >= (int64_t)poor->queued)
		wanted = poor->queued;
	if (rich->slot != poor->slot && wanted > room)
		wanted = room;
	taken = counters_take_permits(rich->row, wanted);
	account(rich->slot, -taken);
	account(poor->slot, taken);
	counters_give_permits(poor->row, taken);
	poor->was_given = true;
}

static void
help_poor(struct hubs *hubs)
{
	for (unsigned i = 0; i < hubs->count; i++)
		if (free_of(hubs->at[i].row) <= 0 && hubs->at[i].queued > 0)
			help_out(hubs, &hubs->at[i]);
}

/* Who comes now waits in the backlog. */
static void
warn_if_used_up(const struct fleet *fleet, const struct hubs *hubs, int64_t available)
{
	static int64_t next;
	int64_t now = clock_now();
	unsigned long limit = (unsigned long)permits_limit(fleet);
	char all[64];

	if (available > 0 || now < next)
		return;
	for (unsigned i = 0; i < hubs->count; i++)
		if (free_of(hubs->at[i].row) > 0)
			return;
	next = now + WARN_EVERY;
	snprintf(all, sizeof all, limit == 1 ? "the only connection is" : "all %lu connections are",
		limit);
	events_note(LOG_WARNING, "%s in use; others wait in the backlog (%s)", all,
		fleet->serving->config.max_connections != 0
			? "--max-connections"
			: "raise the file limit: ulimit -n, LimitNOFILE=");
}

/* Too many are out, because the limit is lower than before. */
static void
withdraw(struct hubs *hubs, int64_t excess)
{
	for (unsigned i = 0; i < hubs->count && excess > 0; i++) {
		int64_t taken = counters_take_permits(hubs->at[i].row, excess);

		account(hubs->at[i].slot, -taken);
		excess -= taken;
	}
}

void
permits_share(struct fleet *fleet)
{
	static struct hubs hubs;
	int64_t granted = 0, available = 0;

	if (fleet->is_frozen)
		return;
	fleet_each(fleet, take_back, &granted);
	if (fleet->serving == NULL)
		return;
	hubs.count = 0;
	roster_each_sitting(fleet, collect, &hubs);
	if (hubs.count == 0)
		return;
	if (fleet->serving->config.max_connections == 0) {
		fill_up(&hubs);
	} else {
		available = (int64_t)permits_limit(fleet) - granted - granted_elsewhere(fleet);
		if (available > 0)
			share_out(&hubs, available);
		else
			withdraw(&hubs, -available);
	}
	help_poor(&hubs);
	warn_if_used_up(fleet, &hubs, available);
}
