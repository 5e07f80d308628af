/* Queries on the fleet's records. Nothing here changes a record, so every file of the fleet may ask
 * at any time, also from within an event. */
#include "master/fleet/roster.h"

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

struct worker_row *
occupant_row(const struct occupant *occupant)
{
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

void
generation_each(struct generation *generation, void (*visit)(struct slot *slot, void *context),
	void *context)
{
	for (unsigned i = 0; generation != NULL && i < generation->count; i++)
		visit(generation->slots[i], context);
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

		if (occupant_sits(occupant))
			visit(occupant, context);
	}
}

bool
fleet_is_steady(const struct fleet *fleet)
{
	return fleet->serving != NULL && fleet->rising == NULL &&
	       generation_is(fleet->serving, SUPERVISION_READY);
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
