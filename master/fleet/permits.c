/* Sharing: measure the open connections and free permits of each hub, compute the hub's part
 * (level.h), take from hubs above their part, give to hubs below. Hubs use permits concurrently, so
 * the master gives only permits that it has really taken, and the sum never exceeds the limit. */
#include "master/fleet/permits.h"

#include <stdio.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet/level.h"
#include "master/say/history.h"
#include "worker/nofile.h"

#define WARN_EVERY (10 * CLOCK_SECOND)
/* How long the part of a starting worker is kept for it; then clients who wait at other hubs come
 * first. */
#define KEPT_FOR CLOCK_SECOND
/* With more failures in a row than this, no part is kept for the slot. */
#define FAILURES_MOST 1
/* Above every limit, and low enough that sums do not overflow. */
#define UNLIMITED (INT64_MAX / 2)

uint64_t
permits_limit(const struct fleet *fleet)
{
	const struct generation *serving = fleet->serving;
	uint64_t asked, files = 0;

	if (serving == NULL)
		return 0;
	asked = serving->config.max_connections;
	for (unsigned i = 0; i < serving->count; i++)
		files += (uint64_t)serving->slots[i]->capacity;
	return asked != 0 && asked < files ? asked : files;
}

void
permits_account(struct slot *slot, int64_t change)
{
	slot->granted += change;
	DCHECK(slot->granted >= 0 && (change <= 0 || slot->granted <= slot->capacity));
	if (slot->rows != NULL)
		__atomic_store_n(&slot->rows[0].granted, slot->granted, __ATOMIC_RELAXED);
}

int64_t
permits_take(struct slot *slot, unsigned hub, int64_t most)
{
	int64_t taken = counters_take_permits(&slot->rows[hub], most);

	if (taken > slot->granted)
		taken = slot->granted;
	CHECK(taken >= 0 && taken <= most);
	permits_account(slot, -taken);
	return taken;
}

/* Too many rather than too few: else the hubs would wait for ever for permits of connections that
 * are not known any more. */
void
permits_renew(struct slot *slot)
{
	unsigned threads = slot->generation->config.threads;
	int64_t part = slot->granted / threads, rest = slot->granted % threads;

	CHECK_WHY(slot->granted >= 0, "the master's own account");
	for (unsigned hub = 0; hub < threads; hub++)
		__atomic_store_n(&slot->rows[hub].permits, part + (hub < rest), __ATOMIC_RELAXED);
	permits_account(slot, 0);
}

void
permits_revoke(struct slot *slot)
{
	for (unsigned hub = 0; slot->rows != NULL && hub < slot->generation->config.threads; hub++)
		permits_take(slot, hub, INT64_MAX);
}

void
permits_lose(struct slot *slot)
{
	permits_revoke(slot);
	/* A permit is taken before each accept, so these are all connections that the process may
	 * have had. */
	if (slot->granted > 0)
		counters_note(&counters_server(slot->generation->fleet->counters)->lost,
			(uint64_t)slot->granted);
	permits_account(slot, -slot->granted);
}

/* ---- permits in use ---- */

static void
take_back(struct slot *slot, void *granted)
{
	/* A worker that drains with the server still accepts from its queues. */
	if (slot->state == SUPERVISION_DRAINING && slot->leave_message != CHANNEL_DRAIN)
		permits_revoke(slot);
	*(int64_t *)granted += slot->granted;
}

int64_t
permits_elsewhere(const struct fleet *fleet)
{
	const struct counters *counters = fleet->counters;
	int64_t granted = 0;

	for (uint32_t i = 0; i < segment_used(counters); i++) {
		const struct worker_row *row = &counters->rows[i];

		if (row_state(row) == ROW_LIVE && !counters_is_own(counters, row))
			granted += within_files(__atomic_load_n(&row->granted, __ATOMIC_RELAXED));
	}
	return granted;
}

/* ---- parts ---- */

/* The hubs of the serving generation, with the part of permits that each gets. */
struct hubs {
	struct slot *slots[SOCKETS_SEATS_MAX];
	struct worker_row *rows[SOCKETS_SEATS_MAX]; /* NULL while its worker starts */
	unsigned indexes[SOCKETS_SEATS_MAX];        /* of the hubs in their workers */
	struct level_member parts[SOCKETS_SEATS_MAX];
	unsigned count;
	unsigned accepting;
};

/* Whether a worker whose hubs do not sit yet will soon be ready. A worker that keeps crashing is
 * not expected. */
static bool
is_expected(struct slot *slot)
{
	if (slot->failures > FAILURES_MOST)
		return false;
	if (slot->state == SUPERVISION_STARTING)
		return clock_now() - slot->started < KEPT_FOR;
	return slot->state == SUPERVISION_BACKING_OFF &&
	       ev_timer_remaining(slot->generation->fleet->loop, &slot->respawn) *
			       (double)CLOCK_SECOND <
		       (double)KEPT_FOR;
}

static void
add_hub(struct hubs *hubs, const struct occupant *occupant)
{
	const struct slot *slot = occupant->slot;

	CHECK(hubs->count < SOCKETS_SEATS_MAX);
	hubs->accepting += occupant_accepts(occupant);
	hubs->slots[hubs->count] = occupant->slot;
	hubs->rows[hubs->count] = occupant_row(occupant);
	hubs->indexes[hubs->count] = occupant->hub;
	hubs->parts[hubs->count++] = (struct level_member){.has = slot_open(slot, occupant->hub),
		.holds = slot_permits(slot, occupant->hub),
		.most = occupant_accepts(occupant) ? INT64_MAX : 0,
		.is_first = occupant->queued > 0};
}

/* Adds the slot's hubs. Together they get at most what the file limit of their process allows. */
static void
add_slot(struct hubs *hubs, struct slot *slot)
{
	unsigned threads = slot->generation->config.threads, first = hubs->count;
	int64_t room = slot->capacity - slot->granted;

	for (unsigned hub = 0; hub < threads; hub++) {
		const struct occupant *occupant =
			&slot->generation->fleet->occupants[slot_seat(slot, hub)];

		if (occupant->slot == slot && occupant_sits(occupant)) {
			add_hub(hubs, occupant);
		} else if (is_expected(slot)) {
			hubs->slots[hubs->count] = slot;
			hubs->rows[hubs->count] = NULL;
			hubs->parts[hubs->count++] = (struct level_member){.most = INT64_MAX};
		}
	}
	for (unsigned i = first; i < hubs->count; i++)
		room += hubs->parts[i].holds;
	for (unsigned i = first; i < hubs->count; i++)
		if (hubs->parts[i].most > room)
			hubs->parts[i].most = room > 0 ? room : 0;
	level_share(hubs->parts + first, hubs->count - first, room);
	for (unsigned i = first; i < hubs->count; i++)
		hubs->parts[i].most = hubs->parts[i].gets;
}

static void
collect(struct fleet *fleet, struct hubs *hubs)
{
	hubs->count = hubs->accepting = 0;
	for (unsigned i = 0; i < fleet->serving->count; i++)
		add_slot(hubs, fleet->serving->slots[i]);
}

/* Takes the surplus of hubs that hold more than their part. Returns how many permits were taken:
 * hubs may have used some meanwhile. */
static int64_t
take_surplus(struct hubs *hubs)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < hubs->count; i++) {
		int64_t surplus = hubs->parts[i].holds - hubs->parts[i].gets;

		if (hubs->rows[i] != NULL && surplus > 0)
			sum += permits_take(hubs->slots[i], hubs->indexes[i], surplus);
	}
	return sum;
}

/* Gives available permits to hubs that hold less than their part. */
static void
fill_up(struct hubs *hubs, int64_t available)
{
	for (unsigned i = 0; i < hubs->count && available > 0; i++) {
		struct slot *slot = hubs->slots[i];
		int64_t lacks = hubs->parts[i].gets - hubs->parts[i].holds;

		if (lacks > available)
			lacks = available;
		if (lacks > slot->capacity - slot->granted)
			lacks = slot->capacity - slot->granted;
		if (hubs->rows[i] == NULL || lacks <= 0)
			continue;
		/* In this order, so that another master that reads in between sees too many rather
		 * than too few. */
		permits_account(slot, lacks);
		counters_give_permits(hubs->rows[i], lacks);
		available -= lacks;
	}
}

/* Warns that new connections wait in the backlog, at most once in WARN_EVERY. */
static void
warn_if_used_up(struct fleet *fleet, const struct hubs *hubs)
{
	int64_t now = clock_now();
	unsigned long limit = (unsigned long)permits_limit(fleet);
	char all[64], why[NOFILE_ADVICE_SIZE + 32];

	if (now < fleet->next_warning || hubs->accepting == 0)
		return;
	for (unsigned i = 0; i < hubs->count; i++)
		if (hubs->parts[i].gets > 0)
			return;
	fleet->next_warning = now + WARN_EVERY;
	snprintf(all, sizeof all, limit == 1 ? "the only connection is" : "all %lu connections are",
		limit);
	if (fleet->serving->config.max_connections == limit)
		snprintf(why, sizeof why, "--max-connections");
	else
		snprintf(why, sizeof why, "raise the file limit: %s", nofile_advice_here());
	history_note(LOG_WARNING, "%s in use; others wait in the backlog (%s)", all, why);
}

/* Whether the workers have at most room more than was granted to them before: what moved between
 * them was taken first. */
static bool
has_given_at_most(const struct fleet *fleet, int64_t granted, int64_t room)
{
	int64_t now = 0;

	for (unsigned i = 0; i < fleet->serving->count; i++)
		now += fleet->serving->slots[i]->granted;
	for (const struct generation *each = fleet->leaving; each != NULL; each = each->next)
		for (unsigned i = 0; i < each->count; i++)
			now += each->slots[i]->granted;
	return now - granted <= room;
}

void
permits_share(struct fleet *fleet)
{
	static struct hubs hubs;
	int64_t granted = 0, available = UNLIMITED, budget = UNLIMITED, room;

	if (fleet->is_frozen)
		return;
	fleet_each(fleet, take_back, &granted);
	if (fleet->serving == NULL)
		return;
	collect(fleet, &hubs);
	if (hubs.count == 0)
		return;
	if (fleet->serving->config.max_connections != 0) {
		available = (int64_t)fleet->serving->config.max_connections - granted -
			    permits_elsewhere(fleet);
		budget = available;
		/* Free permits of the hubs are shared anew, with those that no process has. */
		for (unsigned i = 0; i < hubs.count; i++)
			budget += hubs.parts[i].holds;
	}
	room = available > 0 ? available : 0;
	level_share(hubs.parts, hubs.count, budget);
	/* Only permits that were really taken are given. */
	available += take_surplus(&hubs);
	fill_up(&hubs, available);
	DCHECK(has_given_at_most(fleet, granted, room));
	warn_if_used_up(fleet, &hubs);
}
