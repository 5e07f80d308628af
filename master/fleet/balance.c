/* Measures, weighs, attaches. With --balance=hash a program is attached only while some hub is
 * away. A program is replaced only by another one: the kernel takes as long for it as for hundreds
 * of new connections. The program for datagrams is replaced only when a hub comes or goes, because
 * each replacement may move senders. Nothing is attached while the fleet is frozen. */
#include "master/fleet/balance.h"

#include <errno.h>
#include <string.h>

#include "hub/base/check.h"
#include "master/say/history.h"
#include "master/sockets/steering.h"

#define ARRIVALS_FADE 0.7
/* Clients that left and came back within one tick may do so again: after half a minute, half as
 * many are still expected. */
#define REPLACED_FADE 0.99885

/* A hub without a free permit beyond its own queue counts as away, unless new connections are to
 * wait in queues. */
static void
load_of(const struct occupant *occupant, bool is_to_wait, struct steering_load *load)
{
	*load = (struct steering_load){.is_away = !occupant_accepts(occupant)};
	if (load->is_away)
		return;
	load->is_away = !is_to_wait &&
			slot_permits(occupant->slot, occupant->hub) <= (int64_t)occupant->queued;
	load->open = counters_open(occupant_row(occupant));
	/* A connection that was queued may have been accepted since; it must count once. */
	if (load->open < occupant->open + occupant->queued)
		load->open = occupant->open + occupant->queued;
	load->busy = occupant->slot->hubs[occupant->hub].busy;
}

/* Whether each weight is one, and hubs that are away have none. */
static bool
are_weights(const struct steering_load *loads, unsigned count, const unsigned *weights)
{
	for (unsigned i = 0; i < count; i++)
		if (weights[i] > (loads[i].is_away ? 0 : STEERING_WEIGHT_MAX))
			return false;
	return true;
}

/* Returns whether any hub gets a weight. */
static bool
weigh_all(struct fleet *fleet, bool is_to_wait, unsigned *weights)
{
	unsigned count = fleet->sockets->listening;
	static struct steering_load loads[STEERING_MEMBERS_MAX];

	for (unsigned i = 0; i < count; i++)
		load_of(&fleet->occupants[fleet->sockets->order[i]], is_to_wait, &loads[i]);
	if (fleet->serving != NULL && !fleet->serving->config.balances) {
		/* All hubs weigh the same, but a hub that is away gets nothing. */
		for (unsigned i = 0; i < count; i++)
			weights[i] = loads[i].is_away ? 0 : 1;
	} else {
		steering_weigh(loads, count,
			(struct steering_forecast){fleet->arrivals, fleet->replaced}, weights);
	}
	DCHECK(are_weights(loads, count, weights));
	for (unsigned i = 0; i < count; i++)
		if (weights[i] != 0)
			return true;
	return false;
}

/* Where no hub has permits, new connections wait in the queues of hubs that accept, balanced as
 * connections are: as permits come free, each hub serves its own queue. */
static bool
weigh(struct fleet *fleet, unsigned *weights)
{
	return weigh_all(fleet, false, weights) || weigh_all(fleet, true, weights);
}

static void
attach(struct fleet *fleet, const unsigned *weights)
{
	/* Any member will do: the kernel has one program for the whole group. */
	const struct seat *seat = &fleet->sockets->seats[fleet->sockets->order[0]];

	for (unsigned i = 0; i < fleet->sockets->address_count && fleet->can_steer; i++) {
		if (!sockets_is_in_group(fleet->sockets, i) ||
			steering_attach(seat->fds[i], weights, fleet->sockets->listening) == 0)
			continue;
		fleet->can_steer = false;
		history_note(LOG_WARNING,
			"cannot steer connections (%s): they are spread by the kernel's hash, also "
			"to hubs that hang",
			strerror(errno));
	}
	fleet->is_steered = fleet->can_steer;
	fleet->steered_at = fleet->sockets->changes;
}

/* Whether the kernel has the program of these weights. */
static bool
is_attached(const struct fleet *fleet, const unsigned *weights)
{
	if (!fleet->is_steered || fleet->steered_at != fleet->sockets->changes)
		return false;
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		if (fleet->occupants[fleet->sockets->order[i]].weight != weights[i])
			return false;
	return true;
}

/* With --balance=hash a program is needed only while some hub is away. */
static bool
is_hash_enough(const struct fleet *fleet)
{
	if (fleet->serving == NULL || fleet->serving->config.balances)
		return false;
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		if (fleet->occupants[fleet->sockets->order[i]].weight == 0)
			return false;
	return true;
}

static void
detach(struct fleet *fleet)
{
	const struct seat *seat = &fleet->sockets->seats[fleet->sockets->order[0]];

	CHECK_WHY(fleet->sockets->listening > 0, "a group without a member has no program");
	for (unsigned i = 0; fleet->is_steered && i < fleet->sockets->address_count; i++)
		if (sockets_is_in_group(fleet->sockets, i))
			steering_detach(seat->fds[i]);
	fleet->is_steered = false;
}

/* ---- steering datagrams ---- */

static bool
have_datagrams_changed(const struct fleet *fleet, const bool *is_there)
{
	if (fleet->datagram_seats != fleet->seats)
		return true;
	for (unsigned i = 0; i < fleet->datagram_seats; i++)
		if (is_there[i] != fleet->occupants[i].has_datagrams)
			return true;
	return false;
}

static void
attach_datagrams(struct fleet *fleet, const bool *is_there)
{
	const struct sockets *sockets = fleet->sockets;

	for (unsigned i = 0; i < sockets->address_count; i++)
		if (sockets->addresses[i].kind == ADDRESS_UDP && sockets->shared[i] == -1 &&
			steering_attach_datagrams(sockets->seats[0].fds[i], is_there, fleet->seats,
				sockets->addresses[i].socket.ss_family) != 0)
			history_note(LOG_WARNING,
				"cannot steer datagrams (%s): some may wait where nobody answers",
				strerror(errno));
}

/* Attaches a new program only when a hub comes or goes; otherwise each sender keeps its hub. */
static void
steer_datagrams(struct fleet *fleet)
{
	bool is_there[STEERING_MEMBERS_MAX], any = false;
	unsigned count = fleet->seats;

	CHECK_WHY(count <= fleet->sockets->seat_count, "the seats that the server keeps are bound");
	for (unsigned i = 0; i < count; i++) {
		is_there[i] =
			fleet->sockets->seats[i].listens && occupant_accepts(&fleet->occupants[i]);
		any = any || is_there[i];
	}
	if (!any || !have_datagrams_changed(fleet, is_there))
		return;
	attach_datagrams(fleet, is_there);
	fleet->datagram_seats = count;
	for (unsigned i = 0; i < count; i++)
		fleet->occupants[i].has_datagrams = is_there[i];
}

void
balance_steer(struct fleet *fleet)
{
	unsigned weights[STEERING_MEMBERS_MAX];

	if (!fleet->is_frozen && fleet->sockets->listening > 0)
		steer_datagrams(fleet);
	if (!fleet->can_steer || fleet->is_frozen || fleet->sockets->listening == 0 ||
		fleet->sockets->listening > STEERING_MEMBERS_MAX || !weigh(fleet, weights) ||
		is_attached(fleet, weights))
		return;
	for (unsigned i = 0; i < SOCKETS_SEATS_MAX && i < fleet->sockets->seat_count; i++)
		fleet->occupants[i].weight = 0;
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		fleet->occupants[fleet->sockets->order[i]].weight = weights[i];
	if (is_hash_enough(fleet))
		detach(fleet);
	else
		attach(fleet, weights);
}

void
balance_measure(struct fleet *fleet)
{
	uint64_t came, left;
	double arrived, replaced;

	counters_flow(fleet->counters, &came, &left);
	/* Queued connections count as arrived: a burst is as large, however late hubs accept. */
	for (unsigned i = 0; i < fleet->sockets->listening; i++)
		came += fleet->occupants[fleet->sockets->order[i]].queued;
	arrived = came > fleet->came ? (double)(came - fleet->came) : 0;
	replaced = left > fleet->left ? (double)(left - fleet->left) : 0;
	/* The first tick has no previous count to compare with. */
	if (arrived < replaced || fleet->came == 0)
		replaced = fleet->came == 0 ? 0 : arrived;
	CHECK_WHY(replaced >= 0 && replaced <= arrived, "who comes back arrives");
	fleet->came = came;
	fleet->left = left;
	fleet->arrivals *= ARRIVALS_FADE;
	if (arrived > fleet->arrivals)
		fleet->arrivals = arrived;
	fleet->replaced *= REPLACED_FADE;
	if (replaced > fleet->replaced)
		fleet->replaced = replaced;
}

void
balance_inherit(struct fleet *fleet, bool is_order_known)
{
	fleet->datagram_seats = 0;
	/* By the program of the other master. */
	fleet->is_steered = true;
	fleet->steered_at = 0;
	if (is_order_known || fleet->sockets->listening == 0)
		return;
	history_note(LOG_WARNING,
		"the order of the listening sockets is not known any more: connections are spread "
		"by the kernel's hash until the next upgrade or restart");
	fleet->can_steer = false;
	detach(fleet);
}
