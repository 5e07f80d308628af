/* Ports that connections have lie in lists, by number. They are given in turn. */
#include "sim/kernel/port_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "hub/scheduler.h"
#include "sim/kernel/name_priv.h"
#include "sim/world/world_priv.h"

#define FIRST 32768
#define COUNT ((unsigned)PORTS_MOST)
#define LISTS 256

/* How long TIME_WAIT lasts: on one host Linux uses such a port again after a second. */
#define STAYS (60 * HUB_SECOND)
#define STAYS_HERE HUB_SECOND

struct port {
	struct list link;
	const struct host *on;
	struct name peer;
	in_port_t number;
};

static struct list taken[LISTS];
static unsigned given; /* ever */

void
ports_begin(void)
{
	for (int i = 0; i < LISTS; i++)
		list_init(&taken[i]);
	given = 0;
}

static struct list *
list_of(in_port_t number)
{
	return &taken[ntohs(number) % LISTS];
}

static bool
is_free(const struct name *name, const struct name *peer)
{
	LIST_EACH (link, list_of(name->port)) {
		const struct port *port = CONTAINER_OF(link, struct port, link);

		if (port->number == name->port && port->on == name->on &&
			port->peer.on == peer->on && port->peer.port == peer->port &&
			memcmp(port->peer.host, peer->host, sizeof peer->host) == 0)
			return false;
	}
	return true;
}

static bool
choose(struct name *name, const struct name *peer)
{
	unsigned count = world_options()->ports > 0 ? (unsigned)world_options()->ports : COUNT;

	if (name->port != 0)
		return is_free(name, peer);
	for (unsigned tries = 0; tries < count; tries++) {
		name->port = htons((in_port_t)(FIRST + given++ % count));
		if (!name_is_taken(name) && is_free(name, peer))
			return true;
	}
	name->port = 0;
	return false;
}

struct port *
port_take(struct name *name, const struct name *peer)
{
	struct port *port;

	if (!choose(name, peer)) {
		errno = EADDRNOTAVAIL;
		return NULL;
	}
	port = malloc(sizeof *port);
	CHECK_WHY(port != NULL, "no memory for a simulated world");
	*port = (struct port){.on = name->on, .peer = *peer, .number = name->port};
	list_append(list_of(port->number), &port->link);
	return port;
}

static void
leave(void *object)
{
	struct port *port = object;

	list_remove(&port->link);
	free(port);
}

void
port_leave(struct port *port, bool was_first)
{
	if (port == NULL)
		return;
	if (was_first)
		world_after(port->peer.on == port->on ? STAYS_HERE : STAYS, leave, port);
	else
		leave(port);
}
