/* Queries on the fleet's records. Nothing here changes a record, so every file of the fleet may ask
 * at any time, also from within an event. */
#include "master/fleet/roster.h"

#include <limits.h>

#include "hub/base/check.h"

bool
occupant_sits(const struct occupant *occupant)
{
	return occupant->slot != NULL && occupant->slot->rows != NULL;
}

bool
occupant_accepts(const struct occupant *occupant)
{
	return occupant_sits(occupant) && !occupant->slot->hubs[occupant->hub].is_hung;
}

bool
occupant_lives(const struct occupant *occupant)
{
	return occupant_sits(occupant) && occupant->slot->hubs[occupant->hub].silent < FLEET_LIFE;
}

int64_t
within_files(int64_t count)
{
	if (count < 0)
		return 0;
	return count < INT_MAX ? count : INT_MAX;
}

int64_t
slot_open(const struct slot *slot, unsigned hub)
{
	return (int64_t)counters_open(&slot->rows[hub]);
}

int64_t
slot_permits(const struct slot *slot, unsigned hub)
{
	return within_files(__atomic_load_n(&slot->rows[hub].permits, __ATOMIC_RELAXED));
}

struct worker_row *
occupant_row(const struct occupant *occupant)
{
	CHECK(occupant_sits(occupant));
	CHECK(occupant->hub < occupant->slot->generation->config.threads);
	return &occupant->slot->rows[occupant->hub];
}

bool
generation_is(const struct generation *generation, enum supervision_state state)
{
	for (unsigned i = 0; i < generation->count; i++)
		if (generation->slots[i]->state != state)
			return false;
	return true;
}

bool
generation_is_ready(const struct generation *generation)
{
	for (unsigned i = 0; i < generation->count; i++)
		if (generation->slots[i]->is_killed)
			return false;
	return generation_is(generation, SUPERVISION_READY);
}

void
generation_each(struct generation *generation, void (*visit)(struct slot *slot, void *context),
	void *context)
{
	for (unsigned i = 0; generation != NULL && i < generation->count; i++) {
		CHECK_WHY(generation->slots[i]->generation == generation,
			"a slot that has moved belongs to its new generation");
		visit(generation->slots[i], context);
	}
}

void
fleet_each(struct fleet *fleet, void (*visit)(struct slot *slot, void *context), void *context)
{
	generation_each(fleet->serving, visit, context);
	generation_each(fleet->rising, visit, context);
	for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
		generation_each(each, visit, context);
}

void
roster_each_sitting(const struct fleet *fleet,
	void (*visit)(const struct occupant *occupant, void *context), void *context)
{
	for (unsigned i = 0; i < fleet->sockets->listening; i++) {
		const struct occupant *occupant = &fleet->occupants[fleet->sockets->order[i]];

		CHECK(fleet->sockets->order[i] < fleet->sockets->seat_count);
		if (occupant_sits(occupant))
			visit(occupant, context);
	}
}

bool
fleet_is_steady(const struct fleet *fleet)
{
	return fleet->serving != NULL && fleet->rising == NULL &&
	       generation_is_ready(fleet->serving);
}

unsigned
fleet_accepting(const struct fleet *fleet)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		count += fleet->occupants[fleet->sockets->order[i]].slot != NULL;
	return count;
}

unsigned
fleet_living(const struct fleet *fleet)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		count += occupant_lives(&fleet->occupants[fleet->sockets->order[i]]);
	return count;
}

static bool
is_replacing(const struct generation *generation)
{
	for (unsigned i = 0; generation != NULL && i < generation->count; i++)
		if (generation->slots[i]->state == SUPERVISION_STARTING ||
			generation->slots[i]->state == SUPERVISION_BACKING_OFF)
			return true;
	return false;
}

bool
fleet_is_replacing(const struct fleet *fleet)
{
	return is_replacing(fleet->serving) || is_replacing(fleet->rising);
}

int64_t
fleet_patience(const struct fleet *fleet)
{
	const struct generation *generation =
		fleet->serving != NULL ? fleet->serving : fleet->rising;

	return generation != NULL && generation->config.hang_timeout > 0
		       ? generation->config.hang_timeout
		       : FLEET_RISE_TIME;
}

/* ---- consistency ---- */

bool
slot_is_consistent(const struct slot *slot)
{
	bool is_paused = slot->state == SUPERVISION_BACKING_OFF;
	bool has_process = slot->state != SUPERVISION_DEAD && !is_paused;
	bool serves = slot->state == SUPERVISION_READY || slot->state == SUPERVISION_HUNG;

	if (has_process != (slot->pid > 0) || has_process != (slot->channel != -1) ||
		has_process != (slot->rows != NULL))
		return false;
	if ((ev_is_active(&slot->respawn) && !is_paused) ||
		(ev_is_active(&slot->healthy) && !serves))
		return false;
	return has_process || (slot->pidfd == -1 && slot->granted == 0 && !slot->must_accept &&
				      !slot->must_leave && !slot->must_reopen[CHANNEL_LOG] &&
				      !slot->must_reopen[CHANNEL_ACCESS_LOG] &&
				      !ear_is_active(&slot->exit) && !ear_is_active(&slot->talk));
}

/* Whether order names each seat that listens, once. */
static bool
is_permutation(const struct sockets *sockets)
{
	bool is_named[SOCKETS_SEATS_MAX] = {false};
	unsigned listening = 0;

	for (unsigned i = 0; i < sockets->listening; i++) {
		unsigned seat = sockets->order[i];

		if (seat >= sockets->seat_count || is_named[seat] || !sockets->seats[seat].listens)
			return false;
		is_named[seat] = true;
	}
	for (unsigned i = 0; i < sockets->seat_count; i++)
		listening += sockets->seats[i].listens;
	return listening == sockets->listening;
}

/* Whether a seat's hub is one of a living process, and that seat is the hub's own. */
static bool
is_seated(const struct fleet *fleet, unsigned seat)
{
	const struct occupant *occupant = &fleet->occupants[seat];

	if (occupant->rescuer != NULL && occupant->rescuer->rows == NULL)
		return false;
	return occupant->slot == NULL ||
	       (occupant_sits(occupant) && slot_seat(occupant->slot, occupant->hub) == seat &&
		       occupant->hub < occupant->slot->generation->config.threads &&
		       !occupant->is_retiring);
}

/* Whether the generation is in that phase, and has slots of its own, by index. */
static bool
is_ordered(const struct generation *generation, enum generation_phase phase)
{
	for (unsigned i = 0; generation != NULL && i < generation->count; i++)
		if (generation->slots[i]->generation != generation ||
			generation->slots[i]->index != generation->slots[0]->index + i)
			return false;
	return generation == NULL ||
	       (generation->phase == phase && generation->number <= generation->fleet->generations);
}

bool
roster_is_consistent(const struct fleet *fleet)
{
	if (!is_ordered(fleet->serving, GENERATION_SERVING) ||
		!is_ordered(fleet->rising, GENERATION_RISING))
		return false;
	for (const struct generation *each = fleet->leaving; each != NULL; each = each->next)
		if (!is_ordered(each, GENERATION_LEAVING))
			return false;
	for (unsigned seat = 0; seat < SOCKETS_SEATS_MAX; seat++)
		if (!is_seated(fleet, seat))
			return false;
	return is_permutation(fleet->sockets);
}
