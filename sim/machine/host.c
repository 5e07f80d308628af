/* Hosts are a short list, and so are the pairs of them that are parted. The host of number n has
 * the addresses 10.0.n/256.n%256 and fd00::n. */
#include "sim/machine/host_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "sim/machine/clock_priv.h"
#include "sim/sim.h"
#include "sim/world/world_priv.h"

#define PARTED_BITS 36 /* of nanoseconds: less than 69 s */

struct host {
	struct list link; /* in hosts.all */
	unsigned number;  /* from 1 on */
	struct clock clock;
	char name[];
};

/* Two hosts that were parted once. */
struct parting {
	struct list link; /* in hosts.partings */
	const struct host *one, *other;
	int64_t until;
};

static struct {
	struct list all, partings;
	unsigned count;
} hosts = {{&hosts.all, &hosts.all}, {&hosts.partings, &hosts.partings}, 0};

struct host *
hosts_begin(const char *name)
{
	struct host *first = host_named(name);

	CHECK_WHY(first != NULL, "no memory for a simulated world");
	return first;
}

void
hosts_end(void)
{
	LIST_EACH (link, &hosts.all)
		free(CONTAINER_OF(link, struct host, link));
	LIST_EACH (link, &hosts.partings)
		free(CONTAINER_OF(link, struct parting, link));
	list_init(&hosts.all);
	list_init(&hosts.partings);
	hosts.count = 0;
}

struct host *
host_find(const char *name)
{
	LIST_EACH (link, &hosts.all) {
		struct host *host = CONTAINER_OF(link, struct host, link);

		if (strcmp(host->name, name) == 0)
			return host;
	}
	return NULL;
}

struct host *
host_named(const char *name)
{
	struct host *host = host_find(name);

	if (host != NULL)
		return host;
	host = malloc(sizeof *host + strlen(name) + 1);
	if (host == NULL)
		return NULL;
	host->number = ++hosts.count;
	host->clock = (struct clock){0};
	strcpy(host->name, name);
	list_append(&hosts.all, &host->link);
	return host;
}

const char *
host_name(const struct host *host)
{
	return host->name;
}

struct clock *
host_clock(struct host *host)
{
	return &host->clock;
}

/* ---- addresses ---- */

void
host_address(const struct host *host, int family, unsigned char *address)
{
	size_t size = family == AF_INET ? 4 : 16;

	memset(address, 0, size);
	address[0] = family == AF_INET ? 10 : 0xfd;
	address[size - 2] = (unsigned char)(host->number >> 8);
	address[size - 1] = (unsigned char)host->number;
}

struct host *
host_at(int family, const unsigned char *address)
{
	LIST_EACH (link, &hosts.all) {
		struct host *host = CONTAINER_OF(link, struct host, link);
		unsigned char own[16];

		host_address(host, family, own);
		if (memcmp(own, address, family == AF_INET ? 4 : 16) == 0)
			return host;
	}
	return NULL;
}

/* ---- partitions ---- */

/* The record of the two; it comes into being if there is none. */
static struct parting *
parting_of(const struct host *one, const struct host *other)
{
	struct parting *parting;

	LIST_EACH (link, &hosts.partings) {
		parting = CONTAINER_OF(link, struct parting, link);
		if ((parting->one == one && parting->other == other) ||
			(parting->one == other && parting->other == one))
			return parting;
	}
	parting = malloc(sizeof *parting);
	CHECK_WHY(parting != NULL, "no memory for a simulated world");
	*parting = (struct parting){.one = one, .other = other};
	list_append(&hosts.partings, &parting->link);
	return parting;
}

bool
host_is_cut(const struct host *from, const struct host *to)
{
	struct parting *parting;

	if (from == to || from == NULL || to == NULL)
		return false;
	parting = parting_of(from, to);
	if (parting->until <= world_now() && world_chance(world_options()->partition)) {
		int64_t lasts = (int64_t)world_draw_wide(PARTED_BITS);

		parting->until = world_now() + lasts;
		world_note("hosts %ld and %ld are parted for %ld ns", from->number, to->number,
			(long)lasts);
	}
	return parting->until > world_now();
}

void
hub_sim_partition(const char *one, const char *other, bool are_parted)
{
	const struct host *from, *to;

	if (!world_exists())
		return;
	from = host_named(one);
	to = host_named(other);
	CHECK_WHY(from != NULL && to != NULL, "no memory for a simulated world");
	CHECK_WHY(from != to, "hub_sim_partition of one host");
	world_note(are_parted ? "hosts %ld and %ld are parted" : "hosts %ld and %ld are joined",
		from->number, to->number, 0);
	parting_of(from, to)->until = are_parted ? INT64_MAX : 0;
}
