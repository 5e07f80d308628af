/* The master never accepts: it sends a duplicate of the listener over the channel (CHANNEL_ADOPT)
 * to workers that do. A worker may find the queue empty or lack an fd, so the offer is repeated at
 * each tick for as long as clients wait. */
#include "master/fleet/seating.h"

#include <errno.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet/level.h"
#include "master/fleet/orders.h"
#include "master/fleet/slot.h"
#include "master/say/history.h"

/* Handshakes that began before steering avoided a seat end within this time, even if the last
 * packet is lost and sent again. */
#define HANDSHAKE (3 * CLOCK_SECOND)
/* Shorter when the server ends: clients wait for the end. */
#define HANDSHAKE_AT_END (200 * CLOCK_MILLISECOND)

/* A leading hub that has been silent for longer would not adopt soon. */
#define SILENT_MOST (200 * CLOCK_MILLISECOND)

static struct occupant *
occupant_of(const struct slot *slot, unsigned hub)
{
	return &slot->generation->fleet->occupants[slot_seat(slot, hub)];
}

static void
enter(struct slot *slot, unsigned hub)
{
	struct occupant *occupant = occupant_of(slot, hub);

	CHECK_WHY(slot->rows != NULL, "a dead process accepts nothing");
	CHECK_WHY(slot->generation->fleet->sockets->seats[slot_seat(slot, hub)].listens,
		"a seat that does not listen gets no clients");
	occupant->slot = slot;
	occupant->hub = hub;
	occupant->open = 0;
	occupant->is_retiring = false;
	occupant->empty_since = 0;
}

bool
seating_sit(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++) {
		if (sockets_listen(fleet->sockets, slot_seat(slot, hub)) != 0) {
			history_note(LOG_ERROR, "cannot listen for hub %u of worker %u: %s", hub,
				slot->index, strerror(errno));
			/* The next process of the slot tries again, after a pause. */
			slot_kill(slot);
			return false;
		}
		enter(slot, hub);
	}
	/* Every address has a listening socket, which a second server's check finds. */
	sockets_unlock_ports(fleet->sockets);
	return true;
}

void
seating_leave(const struct slot *slot, unsigned hub)
{
	struct occupant *occupant = occupant_of(slot, hub);

	if (occupant->slot == slot)
		occupant->slot = NULL;
}

void
seating_retire(struct fleet *fleet, unsigned seat)
{
	struct occupant *occupant = &fleet->occupants[seat];

	CHECK(seat < fleet->sockets->seat_count);
	occupant->slot = NULL;
	occupant->is_retiring = true;
	occupant->empty_since = 0;
}

/* ---- adoption ---- */

/* Workers that can accept from other hubs' queues: their leading hub, which adopts, gave a sign of
 * life lately. */
struct adopters {
	struct slot *slots[SOCKETS_SEATS_MAX];
	/* has: connections that a worker has open; most: permits that it can spare. */
	struct level_member parts[SOCKETS_SEATS_MAX];
	unsigned count;
};

/* Permits beyond what the hub's own queue needs. */
static int64_t
spare_of(const struct occupant *occupant)
{
	int64_t spare = slot_permits(occupant->slot, occupant->hub) - (int64_t)occupant->queued;

	return spare > 0 ? spare : 0;
}

static void
find_adopters(const struct fleet *fleet, struct adopters *adopters)
{
	const struct generation *serving = fleet->serving;

	adopters->count = 0;
	for (unsigned i = 0; serving != NULL && i < serving->count; i++) {
		struct slot *slot = serving->slots[i];
		struct level_member part = {0};

		/* A worker with a hung hub may still adopt, if its leading hub lives. */
		if ((slot->state != SUPERVISION_READY && slot->state != SUPERVISION_HUNG) ||
			slot->hubs[0].is_hung || slot->hubs[0].silent > SILENT_MOST)
			continue;
		for (unsigned hub = 0; hub < serving->config.threads; hub++) {
			const struct occupant *occupant = occupant_of(slot, hub);

			part.has += slot_open(slot, hub);
			if (occupant->slot == slot && occupant_accepts(occupant))
				part.most += spare_of(occupant);
		}
		CHECK(adopters->count < SOCKETS_SEATS_MAX);
		adopters->slots[adopters->count] = slot;
		adopters->parts[adopters->count++] = part;
	}
}

/* Shares wanted clients among the workers and sends each the listener. A worker is asked for at
 * least `least` clients, which may be more than its part. */
static void
send_listener(
	struct adopters *adopters, int listener, unsigned address, unsigned wanted, uint32_t least)
{
	struct channel_message adopt = {.kind = CHANNEL_ADOPT, .value = address};

	level_share(adopters->parts, adopters->count, wanted);
	for (unsigned i = 0; i < adopters->count; i++) {
		struct level_member *part = &adopters->parts[i];

		if (part->gets == 0)
			continue;
		adopt.count = part->gets < least ? least : (uint32_t)part->gets;
		orders_send(adopters->slots[i], &adopt, listener);
		/* The next queue is shared by what this worker has left. */
		part->has += part->gets;
		part->most -= part->gets;
	}
}

/* Has workers with permits accept up to wanted clients from the seat's queues. */
static void
adopt_seat(const struct fleet *fleet, struct adopters *adopters, unsigned index, unsigned wanted)
{
	const struct sockets *sockets = fleet->sockets;

	for (unsigned i = 0; i < sockets->address_count && wanted > 0; i++) {
		unsigned queued;

		if (!sockets_is_in_group(sockets, i))
			continue;
		queued = sockets_queued_at(sockets, index, i);
		if (queued > wanted)
			queued = wanted;
		wanted -= queued;
		/* When the server leaves, this is the last offer: each worker takes all that it
		 * finds. */
		send_listener(adopters, sockets->seats[index].fds[i], i, queued,
			fleet->is_leaving ? UINT32_MAX : 0);
	}
}

/* How many clients in the seat's queues its own hub cannot accept now. */
static unsigned
stranded(const struct occupant *occupant)
{
	int64_t permits;

	if (!occupant_accepts(occupant))
		return occupant->queued;
	permits = slot_permits(occupant->slot, occupant->hub);
	if (permits <= 0)
		return occupant->queued;
	return occupant->queued > permits ? occupant->queued - (unsigned)permits : 0;
}

/* ---- adoption at the end ---- */

static bool
may_rescue(const struct slot *slot)
{
	return slot->state == SUPERVISION_DRAINING && slot->leave_message == CHANNEL_DRAIN &&
	       !slot->must_leave && slot->rows != NULL && !slot->hubs[0].is_hung &&
	       slot->hubs[0].silent <= SILENT_MOST;
}

struct richest {
	struct slot *slot; /* NULL: none yet */
	int64_t permits;
};

static void
find_richest(struct slot *slot, void *context)
{
	struct richest *richest = context;
	int64_t permits = 0;

	if (!may_rescue(slot))
		return;
	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++)
		permits += slot_permits(slot, hub);
	if (richest->slot == NULL || permits > richest->permits)
		*richest = (struct richest){slot, permits};
}

/* While all workers drain: gives the queue of a dead or hung hub to one worker. The offer is
 * repeated at each tick, because the worker drops a queue that it finds empty. */
static void
rescue_seat(struct fleet *fleet, unsigned index)
{
	struct channel_message adopt = {.kind = CHANNEL_ADOPT, .count = UINT32_MAX};
	struct occupant *occupant = &fleet->occupants[index];
	const struct sockets *sockets = fleet->sockets;
	struct richest richest = {0};

	if (occupant->rescuer == NULL || !may_rescue(occupant->rescuer)) {
		fleet_each(fleet, find_richest, &richest);
		occupant->rescuer = richest.slot;
	}
	for (unsigned i = 0; occupant->rescuer != NULL && i < sockets->address_count; i++) {
		if (!sockets_is_in_group(sockets, i) || sockets_is_kept(sockets, index, i) ||
			sockets_queued_at(sockets, index, i) == 0)
			continue;
		adopt.value = i;
		orders_send(occupant->rescuer, &adopt, sockets->seats[index].fds[i]);
	}
}

static void
rescue(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		unsigned index = fleet->sockets->order[i];
		const struct occupant *occupant = &fleet->occupants[index];

		if (!occupant_accepts(occupant) && occupant->queued > 0)
			rescue_seat(fleet, index);
	}
}

void
seating_forget(const struct slot *slot)
{
	struct occupant *occupants = slot->generation->fleet->occupants;

	for (unsigned i = 0; i < SOCKETS_SEATS_MAX; i++)
		if (occupants[i].rescuer == slot)
			occupants[i].rescuer = NULL;
}

/* ---- both ---- */

void
seating_relieve(struct fleet *fleet)
{
	static struct adopters adopters;
	bool are_found = false;

	if (fleet->is_leaving && fleet->serving == NULL) {
		rescue(fleet);
		return;
	}
	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		unsigned index = fleet->sockets->order[i];
		unsigned wanted = stranded(&fleet->occupants[index]);

		if (wanted == 0)
			continue;
		if (!are_found)
			find_adopters(fleet, &adopters);
		are_found = true;
		adopt_seat(fleet, &adopters, index, wanted);
	}
}

static void
measure_queues(struct fleet *fleet)
{
	static unsigned queued[SOCKETS_SEATS_MAX];

	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		unsigned index = fleet->sockets->order[i];
		struct occupant *occupant = &fleet->occupants[index];

		occupant->open =
			occupant_sits(occupant) ? counters_open(occupant_row(occupant)) : 0;
	}
	sockets_measure(fleet->sockets, queued);
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		fleet->occupants[fleet->sockets->order[i]].queued =
			queued[fleet->sockets->order[i]];
}

void
seating_rescue(struct fleet *fleet)
{
	measure_queues(fleet);
	seating_relieve(fleet);
}

/* ---- the tick ---- */

static void
leave_group_if_empty(struct fleet *fleet, unsigned index, int64_t now)
{
	struct occupant *occupant = &fleet->occupants[index];

	if (occupant->queued > 0)
		occupant->empty_since = 0;
	else if (occupant->empty_since == 0)
		occupant->empty_since = now;
	else if (now - occupant->empty_since >=
		 (fleet->is_leaving ? HANDSHAKE_AT_END : HANDSHAKE)) {
		sockets_leave_group(fleet->sockets, index);
		occupant->is_retiring = false;
	}
}

void
seating_tick(struct fleet *fleet, int64_t now)
{
	measure_queues(fleet);
	/* From the end, because the last seat of the group takes the place of a seat that
	 * leaves. */
	for (unsigned i = fleet->sockets->listening; i-- > 0;) {
		unsigned index = fleet->sockets->order[i];
		struct occupant *occupant = &fleet->occupants[index];

		if (occupant->is_retiring && occupant->slot == NULL)
			leave_group_if_empty(fleet, index, now);
	}
}
