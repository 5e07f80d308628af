/* One pass: collect what each draining worker lacks or can spare, take the spare, give equal parts.
 * As in permits.c only permits that were really taken are given, so the limit holds. */
#include "master/fleet/last_permits.h"

#include "hub/base/check.h"
#include "master/fleet/permits.h"

/* Workers that drain with the server: all of the generation that served last. */
struct shares {
	struct slot *slots[SOCKETS_SEATS_MAX];
	int64_t lacks[SOCKETS_SEATS_MAX]; /* permits; negative for permits to spare */
	unsigned count;
	unsigned poor;   /* slots that lack some */
	int64_t granted; /* permits of all workers of this master */
};

/* The length of a Unix socket's queue is unknown, so a hub that still sits wants at least one
 * permit. */
static int64_t
wanted_by(const struct slot *slot, unsigned hub)
{
	const struct occupant *occupant = &slot->generation->fleet->occupants[slot_seat(slot, hub)];

	/* The queue of a hung or dead hub is its rescuer's. */
	if (occupant->slot != slot || !occupant_accepts(occupant))
		return 0;
	return occupant->queued > 0 ? (int64_t)occupant->queued : 1;
}

/* Permits for the queues of dead and hung hubs that this slot has adopted. */
static int64_t
wanted_for_the_dead(const struct slot *slot)
{
	const struct fleet *fleet = slot->generation->fleet;
	int64_t wanted = 0;

	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		const struct occupant *occupant = &fleet->occupants[fleet->sockets->order[i]];

		if (occupant->rescuer == slot && !occupant_accepts(occupant))
			wanted += occupant->queued;
	}
	return wanted;
}

static void
collect(struct slot *slot, void *context)
{
	struct shares *shares = context;
	int64_t lacks;

	shares->granted += slot->granted;
	if (slot->state != SUPERVISION_DRAINING || slot->leave_message != CHANNEL_DRAIN ||
		slot->rows == NULL || shares->count == SOCKETS_SEATS_MAX)
		return;
	lacks = wanted_for_the_dead(slot);
	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++)
		lacks += wanted_by(slot, hub) - slot_permits(slot, hub);
	if (lacks > slot->capacity - slot->granted)
		lacks = slot->capacity - slot->granted;
	shares->slots[shares->count] = slot;
	shares->lacks[shares->count++] = lacks;
	shares->poor += lacks > 0;
}

/* Returns how many permits were taken: hubs may have used some meanwhile. */
static int64_t
take_spare(struct slot *slot, int64_t spare)
{
	int64_t taken = 0;

	for (unsigned hub = 0; hub < slot->generation->config.threads && taken < spare; hub++)
		taken += permits_take(slot, hub, spare - taken);
	return taken;
}

/* Gives each slot that lacks permits an equal part, of at least one. */
static void
give(struct shares *shares, int64_t available)
{
	int64_t part = available / shares->poor;

	for (unsigned i = 0; i < shares->count && available > 0; i++) {
		int64_t gets = part > 0 ? part : 1;

		if (shares->lacks[i] <= 0)
			continue;
		if (gets > shares->lacks[i])
			gets = shares->lacks[i];
		if (gets > available)
			gets = available;
		CHECK_WHY(gets > 0, "each that lacks permits gets one");
		permits_account(shares->slots[i], gets);
		counters_give_permits(&shares->slots[i]->rows[0], gets);
		available -= gets;
	}
}

void
last_permits_share(struct fleet *fleet)
{
	static struct shares shares;
	uint64_t limit;
	int64_t available;

	CHECK_WHY(fleet->serving == NULL, "while a generation serves, permits_share levels");
	shares.granted = 0;
	shares.count = shares.poor = 0;
	fleet_each(fleet, collect, &shares);
	if (shares.poor == 0)
		return;
	limit = shares.slots[0]->generation->config.max_connections;
	if (limit == 0)
		return;
	available = (int64_t)limit - shares.granted - permits_elsewhere(fleet);
	for (unsigned i = 0; i < shares.count; i++)
		if (shares.lacks[i] < 0)
			available += take_spare(shares.slots[i], -shares.lacks[i]);
	if (available > 0)
		give(&shares, available);
}
