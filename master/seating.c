#include "master/seating.h"

#include <errno.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/events.h"
#include "master/slot.h"

/* A handshake that began before a seat was steered around ends within this time, even if its last
 * packet is lost and sent again. */
#define HANDSHAKE (3 * CLOCK_SECOND)
/* When the server ends, clients wait for it. */
#define HANDSHAKE_AT_END (200 * CLOCK_MILLISECOND)

static struct occupant *
occupant_of(const struct slot *slot, unsigned hub)
{
	return &slot->generation->fleet->occupants[slot_seat(slot, hub)];
}

static void
enter(struct slot *slot, unsigned hub)
{
	struct occupant *occupant = occupant_of(slot, hub);

	occupant->slot = slot;
	occupant->hub = hub;
	occupant->is_retiring = false;
	occupant->empty_since = 0;
}

void
seating_sit(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++) {
		if (sockets_listen(fleet->sockets, slot_seat(slot, hub)) != 0) {
			events_note(LOG_ERROR, "cannot listen for hub %u of worker %u: %s", hub,
				slot->index, strerror(errno));
			/* Another try, after a pause, is as good as anything. */
			slot_kill(slot);
			return;
		}
		enter(slot, hub);
	}
	/* Every address has a socket that another server's probe finds. */
	sockets_unlock_ports(fleet->sockets);
}

void
seating_leave(const struct slot *slot, unsigned hub)
{
	struct occupant *occupant = occupant_of(slot, hub);

	if (occupant->slot == slot)
		occupant->slot = NULL;
}

void
seating_retire(struct fleet *fleet, unsigned index)
{
	struct occupant *occupant = &fleet->occupants[index];

	occupant->slot = NULL;
	occupant->is_retiring = true;
	occupant->empty_since = 0;
}

/* ---- adoption ---- */

/* A worker whose leading hub, which adopts, is well; not always the same one. */
static struct slot *
find_adopter(const struct fleet *fleet)
{
	static unsigned turn;
	unsigned count = fleet->serving != NULL ? fleet->serving->count : 0;

	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = fleet->serving->slots[(turn + i) % count];

		if ((slot->state != SUPERVISION_READY && slot->state != SUPERVISION_HUNG) ||
			slot->hubs[0].is_hung)
			continue;
		turn = turn + i + 1;
		return slot;
	}
	return NULL;
}

static void
adopt_seat(struct fleet *fleet, unsigned index)
{
	const struct seat *seat = &fleet->sockets->seats[index];
	struct channel_message adopt = {.kind = CHANNEL_ADOPT};
	struct slot *slot = find_adopter(fleet);

	for (unsigned i = 0; slot != NULL && i < fleet->sockets->address_count; i++) {
		adopt.value = i;
		if (sockets_is_in_group(fleet->sockets, i))
			slot_tell(slot, &adopt, seat->fds[i]);
	}
}

void
seating_adopt(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		unsigned index = fleet->sockets->order[i];

		if (!occupant_accepts(&fleet->occupants[index]) &&
			sockets_queued(fleet->sockets, index) > 0)
			adopt_seat(fleet, index);
	}
}

/* ---- the tick ---- */

static void
park_if_empty(struct fleet *fleet, unsigned index, int64_t now)
{
	struct occupant *occupant = &fleet->occupants[index];

	if (occupant->queued > 0)
		occupant->empty_since = 0;
	else if (occupant->empty_since == 0)
		occupant->empty_since = now;
	else if (now - occupant->empty_since >=
		 (fleet->is_leaving ? HANDSHAKE_AT_END : HANDSHAKE)) {
		sockets_park(fleet->sockets, index);
		occupant->is_retiring = false;
	}
}

void
seating_tick(struct fleet *fleet, int64_t now)
{
	/* From the end, because parking one moves the last into its place. */
	for (unsigned i = fleet->sockets->listening; i-- > 0;) {
		unsigned index = fleet->sockets->order[i];
		struct occupant *occupant = &fleet->occupants[index];

		occupant->queued = sockets_queued(fleet->sockets, index);
		if (!occupant_accepts(occupant) && occupant->queued > 0)
			adopt_seat(fleet, index);
		if (occupant->is_retiring && occupant->slot == NULL)
			park_if_empty(fleet, index, now);
	}
}
