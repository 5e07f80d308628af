#include "master/permits.h"

#include <unistd.h>

#include "hub/base/clock.h"
#include "master/events.h"
#include "master/slot.h"

/* What moves at once from a hub that has many to one that has none: half of the difference. */
#define WARN_EVERY (10 * CLOCK_SECOND)
#define HALF(difference) (((difference) + 1) / 2)

uint64_t
permits_limit(const struct fleet *fleet)
{
	const struct fleet_config *config;

	if (fleet->serving == NULL)
		return 0;
	config = &fleet->serving->config;
	if (config->max_connections != 0)
		return config->max_connections;
	return fleet->file_limit * config->processes;
}

static int64_t
free_of(const struct worker_row *row)
{
	return __atomic_load_n(&row->permits, __ATOMIC_RELAXED);
}

void
permits_revoke(struct slot *slot)
{
	for (unsigned hub = 0; slot->rows != NULL && hub < slot->generation->config.threads; hub++)
		slot->granted -= counters_take_permits(&slot->rows[hub], INT64_MAX);
}

void
permits_lose(struct slot *slot)
{
	permits_revoke(slot);
	/* One is taken before each accept, so these are all that it may have accepted. */
	if (slot->granted > 0)
		counters_note(&slot->generation->fleet->counters->lost, (uint64_t)slot->granted);
	slot->granted = 0;
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

/* Connections of the workers of another master, which drain. */
static int64_t
open_elsewhere(const struct fleet *fleet)
{
	const struct counters *counters = fleet->counters;
	int64_t open = 0;

	for (uint32_t i = 0; i < counters->used; i++) {
		const struct worker_row *row = &counters->rows[i];

		if (row->state == ROW_LIVE && row->master != (int32_t)getpid())
			open += (int64_t)counters_open(row);
	}
	return open;
}

/* ---- who gets it ---- */

/* Hubs that accept, by seat. */
struct hubs {
	struct {
		struct slot *slot;
		struct worker_row *row;
	} at[SOCKETS_SEATS_MAX];
	unsigned count;
};

static void
collect(const struct fleet *fleet, struct hubs *hubs)
{
	hubs->count = 0;
	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		const struct occupant *seat = &fleet->seats[fleet->sockets->order[i]];

		if (seat->slot == NULL || seat->slot->rows == NULL)
			continue;
		hubs->at[hubs->count].slot = seat->slot;
		hubs->at[hubs->count++].row = &seat->slot->rows[seat->hub];
	}
}

static void
grant(struct fleet *fleet, struct hubs *hubs, unsigned index, int64_t count)
{
	struct slot *slot = hubs->at[index].slot;
	int64_t room = (int64_t)fleet->file_limit - slot->granted;

	if (count > room)
		count = room;
	if (count <= 0)
		return;
	slot->granted += count;
	counters_give_permits(hubs->at[index].row, count);
}

/* Equal parts; what is left over goes to those with the fewest connections. */
static void
share_out(struct fleet *fleet, struct hubs *hubs, int64_t available)
{
	int64_t part = available / hubs->count, rest = available % hubs->count;

	for (unsigned i = 0; i < hubs->count; i++)
		grant(fleet, hubs, i, part);
	for (unsigned i = 0; i < hubs->count && rest > 0; i++) {
		if (free_of(hubs->at[i].row) > part)
			continue;
		grant(fleet, hubs, i, 1);
		rest--;
	}
}

static unsigned
find_richest(const struct hubs *hubs, const struct slot *of)
{
	unsigned richest = 0;
	int64_t most = -1;

	for (unsigned i = 0; i < hubs->count; i++) {
		if (of != NULL && hubs->at[i].slot != of)
			continue;
		if (free_of(hubs->at[i].row) > most) {
			most = free_of(hubs->at[i].row);
			richest = i;
		}
	}
	return richest;
}

/* To hubs that have none left, from the one that has most: of the same process, if that may hold no
 * more. */
static void
move_to_poor(struct fleet *fleet, struct hubs *hubs)
{
	for (unsigned i = 0; i < hubs->count; i++) {
		struct slot *slot = hubs->at[i].slot;
		bool is_full = slot->granted >= (int64_t)fleet->file_limit;
		unsigned richest;
		int64_t taken;

		if (free_of(hubs->at[i].row) > 0)
			continue;
		richest = find_richest(hubs, is_full ? slot : NULL);
		if (richest == i)
			continue;
		taken = counters_take_permits(
			hubs->at[richest].row, HALF(free_of(hubs->at[richest].row)));
		hubs->at[richest].slot->granted -= taken;
		slot->granted += taken;
		counters_give_permits(hubs->at[i].row, taken);
	}
}

/* Who comes now waits in the backlog. */
static void
warn_if_used_up(const struct fleet *fleet, const struct hubs *hubs, int64_t available)
{
	static int64_t next;
	int64_t now = clock_now();

	if (available > 0 || now < next)
		return;
	for (unsigned i = 0; i < hubs->count; i++)
		if (free_of(hubs->at[i].row) > 0)
			return;
	next = now + WARN_EVERY;
	events_note(LOG_WARNING, "all %lu connections are in use; others wait in the backlog (%s)",
		(unsigned long)permits_limit(fleet),
		fleet->serving->config.max_connections != 0
			? "--max-connections"
			: "raise the file limit: ulimit -n, LimitNOFILE=");
}

/* Too many are out, because the limit is lower than before. */
static void
withdraw(struct hubs *hubs, int64_t excess)
{
	while (excess > 0) {
		unsigned richest = find_richest(hubs, NULL);
		int64_t taken = counters_take_permits(hubs->at[richest].row, excess);

		if (taken == 0)
			return;
		hubs->at[richest].slot->granted -= taken;
		excess -= taken;
	}
}

void
permits_share(struct fleet *fleet)
{
	static struct hubs hubs;
	int64_t granted = 0, available;

	fleet_each(fleet, take_back, &granted);
	if (fleet->serving == NULL)
		return;
	collect(fleet, &hubs);
	if (hubs.count == 0)
		return;
	available = (int64_t)permits_limit(fleet) - granted - open_elsewhere(fleet);
	if (available > 0)
		share_out(fleet, &hubs, available);
	else if (available < 0)
		withdraw(&hubs, -available);
	move_to_poor(fleet, &hubs);
	warn_if_used_up(fleet, &hubs, available);
}
