/* Whatever can fail comes first: limits, seats, memory, the fork of every worker, and listen.
 * fleet_commit itself cannot fail. In it the former generation loses its permits before the new one
 * gets any, so that the limit holds. */
#include "master/fleet/rising.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "master/fleet/balance.h"
#include "master/fleet/generation.h"
#include "master/fleet/orders.h"
#include "master/fleet/permits.h"
#include "master/fleet/seating.h"
#include "master/start/limits.h"

#define LEAVING_MAX 16 /* generations that may drain at the same time */

/* ---- seats ---- */

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

void
fleet_give_seats_back(struct fleet *fleet)
{
	if (fleet->rising != NULL || fleet->is_leaving)
		return;
	for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
		if (each->is_abandoned)
			return;
	sockets_shrink(fleet->sockets, fleet->seats);
}

/* ---- rising ---- */

static bool
may_rise(const struct fleet *fleet, const char **why)
{
	unsigned leaving = 0;

	for (struct generation *each = fleet->leaving; each != NULL; each = each->next)
		leaving++;
	*why = "the server is stopping";
	if (fleet->is_leaving)
		return false;
	*why = "another change is under way; try again when it is done";
	if (fleet->rising != NULL)
		return false;
	*why = "too many former generations still drain; wait, or use a shorter --drain-timeout";
	return leaving < LEAVING_MAX;
}

/* Checks beforehand whether the file limit allows so many workers of the configuration: the sockets
 * of new seats, three fds for each worker (channel, pidfd, pipe of its output), and two during a
 * fork. */
static bool
can_be_had(const struct fleet *fleet, const struct fleet_config *config, unsigned workers,
	const char **why)
{
	static char error[384];
	const struct sockets *sockets = fleet->sockets;
	unsigned seats = config->processes * config->threads;
	unsigned beyond = seats > sockets->seat_count ? seats - sockets->seat_count : 0;

	*why = SOCKETS_TOO_MANY;
	if (seats > SOCKETS_SEATS_MAX)
		return false;
	*why = error;
	return limits_allow(sockets->address_count, config->processes, config->threads,
		beyond * sockets->address_count + 3 * workers + 2, error, sizeof error);
}

/* Binds the seats for so many workers and returns a generation without slots, or NULL with *why. */
static struct generation *
prepare(struct fleet *fleet, const struct fleet_config *config, unsigned workers, const char **why)
{
	struct generation *rising;

	if (!may_rise(fleet, why) || !can_be_had(fleet, config, workers, why))
		return NULL;
	if (sockets_grow(fleet->sockets, config->processes * config->threads) != 0) {
		*why = explain_grow();
		return NULL;
	}
	rising = generation_new(fleet, config, GENERATION_RISING);
	if (rising == NULL) {
		*why = "no memory";
		fleet_give_seats_back(fleet);
	}
	return rising;
}

/* Starts count slots of a prepared generation. Returns 0, or -1 with *why; then the generation is
 * freed. */
static int
rise(struct generation *rising, unsigned count, const char **why)
{
	struct fleet *fleet = rising->fleet;

	CHECK_WHY(fleet->rising == NULL, "the workers of the other one would be lost");
	if (!generation_grow(rising, count)) {
		generation_free(rising);
		fleet_give_seats_back(fleet);
		*why = "no memory";
		return -1;
	}
	fleet->rising = rising;
	generation_start(rising, 0);
	return 0;
}

int
fleet_rise(struct fleet *fleet, const struct fleet_config *config, const char **why)
{
	struct generation *rising = prepare(fleet, config, config->processes, why);

	return rising != NULL ? rise(rising, config->processes, why) : -1;
}

/* ---- taking over ---- */

void
fleet_revoke_slot(struct slot *slot, void *unused)
{
	(void)unused;
	permits_revoke(slot);
}

void
fleet_retire_beyond(struct fleet *fleet, const struct fleet_config *config)
{
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		if (fleet->sockets->order[i] >= config->processes * config->threads)
			seating_retire(fleet, fleet->sockets->order[i]);
}

/* Appends the slots of the risen generation to the serving one, which has reserved room. */
static void
join(struct fleet *fleet, struct generation *risen)
{
	struct generation *serving = fleet->serving;
	unsigned before = serving->count;

	CHECK_WHY(risen->first == before && risen->config.threads == serving->config.threads,
		"its seats follow those of the others");
	memcpy(serving->slots + before, risen->slots, risen->count * sizeof *serving->slots);
	serving->count += risen->count;
	serving->config.processes = serving->count;
	risen->count = 0;
	generation_tell_shape(serving);
	for (unsigned i = before; i < serving->count; i++) {
		serving->slots[i]->generation = serving;
		seating_sit(serving->slots[i]);
	}
	permits_share(fleet);
	for (unsigned i = before; i < serving->count; i++)
		orders_accept(serving->slots[i]);
	balance_steer(fleet);
	/* Not freed here: a caller further up may be visiting its slots. */
	generation_retire(risen);
	ev_timer_start(fleet->loop, &fleet->sweep);
}

int
fleet_listen(struct fleet *fleet, const char **why)
{
	static char error[128];
	const struct generation *risen = fleet->rising;
	unsigned from = risen->first * risen->config.threads;
	unsigned listening = fleet->sockets->listening;

	for (unsigned i = from; i < risen->config.processes * risen->config.threads; i++) {
		if (sockets_listen(fleet->sockets, i) == 0)
			continue;
		snprintf(error, sizeof error, "a listening socket cannot listen: %s",
			strerror(errno));
		*why = error;
		/* Undo: the seats that have begun to listen are the last ones of the group. */
		while (fleet->sockets->listening > listening)
			sockets_leave_group(fleet->sockets,
				fleet->sockets->order[fleet->sockets->listening - 1]);
		return -1;
	}
	return 0;
}

/* Whether each hub of the generation is on its seat. A worker whose seat could not listen is being
 * killed. */
static bool
is_seated(const struct generation *generation)
{
	unsigned threads = generation->config.threads;

	for (unsigned i = 0; i < generation->count * threads; i++) {
		const struct slot *slot = generation->slots[i / threads];

		if (!slot->is_killed &&
			generation->fleet->occupants[slot_seat(slot, i % threads)].slot != slot)
			return false;
	}
	return true;
}

void
fleet_commit(struct fleet *fleet)
{
	struct generation *former = fleet->serving, *risen = fleet->rising;

	CHECK_WHY(!fleet->is_leaving, "a server that ends gets no new generation");
	fleet->rising = NULL;
	fleet->seats = fleet->sockets->seat_count;
	if (risen->joins) {
		join(fleet, risen);
		return;
	}
	risen->phase = GENERATION_SERVING;
	fleet->serving = risen;
	/* A risen generation is ready as a whole, so all_ready has nothing to report. */
	fleet->has_served = fleet->was_ready = true;
	/* From here on the former generation accepts nothing; new connections are queued
	 * meanwhile. */
	generation_each(former, fleet_revoke_slot, NULL);
	if (former != NULL)
		generation_retire(former);
	for (unsigned i = 0; i < risen->count; i++)
		seating_sit(risen->slots[i]);
	DCHECK(is_seated(risen));
	fleet_retire_beyond(fleet, &risen->config);
	permits_share(fleet);
	for (unsigned i = 0; i < risen->count; i++)
		orders_accept(risen->slots[i]);
	balance_steer(fleet);
	if (former != NULL)
		generation_leave(former, CHANNEL_HANDOVER);
	seating_rescue(fleet);
}

/* ---- more and fewer ---- */

/* Moves the last slots to a generation of their own, which leaves. Returns 0, or -1 without
 * memory. */
static int
shrink(struct generation *serving, unsigned processes)
{
	struct fleet *fleet = serving->fleet;
	struct generation *part = generation_new(fleet, &serving->config, GENERATION_SERVING);
	unsigned moved = serving->count - processes;

	CHECK(processes > 0 && processes < serving->count);
	if (part != NULL)
		part->slots = malloc(moved * sizeof(struct slot *));
	if (part == NULL || part->slots == NULL) {
		free(part);
		return -1;
	}
	/* A part of the serving generation, so it has the same number. */
	part->number = serving->number;
	fleet->generations--;
	memcpy(part->slots, serving->slots + processes, moved * sizeof(struct slot *));
	part->count = moved;
	serving->count = processes;
	for (unsigned i = 0; i < moved; i++) {
		part->slots[i]->generation = part;
		fleet_revoke_slot(part->slots[i], NULL);
		for (unsigned hub = 0; hub < part->config.threads; hub++)
			seating_retire(fleet, slot_seat(part->slots[i], hub));
	}
	/* First, so that permits_share finds the permits of these slots among the leaving
	 * generations. */
	generation_retire(part);
	permits_share(fleet);
	balance_steer(fleet);
	generation_leave(part, CHANNEL_HANDOVER);
	seating_rescue(fleet);
	return 0;
}

/* Starts more slots, which join the others once all new slots are ready. */
static int
grow(struct generation *serving, unsigned processes, const char **why)
{
	struct fleet_config config = serving->config;
	struct generation *rising;

	config.processes = processes;
	*why = "no memory";
	if (!generation_reserve(serving, processes))
		return -1;
	rising = prepare(serving->fleet, &config, processes - serving->count, why);
	if (rising == NULL)
		return -1;
	/* A part of the serving generation, so it has the same number. */
	serving->fleet->generations--;
	rising->number = serving->number;
	rising->first = serving->count;
	rising->joins = true;
	return rise(rising, processes - serving->count, why);
}

int
fleet_resize(struct fleet *fleet, unsigned processes, const char **why)
{
	struct generation *serving = fleet->serving;

	*why = "the server is stopping";
	if (fleet->is_leaving || serving == NULL)
		return -1;
	*why = "another change is under way; try again when it is done";
	if (fleet->rising != NULL)
		return -1;
	if (processes > serving->count)
		return grow(serving, processes, why);
	*why = "no memory";
	if (processes < serving->count && shrink(serving, processes) != 0)
		return -1;
	serving->config.processes = processes;
	generation_tell_shape(serving);
	return 0;
}
