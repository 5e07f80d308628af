/* Each client gets its line as soon as it is accepted. Then the socket is half closed, and the
 * client has PATIENCE to close its side: closing first, with input unread, would reset the
 * connection, and the reset may overtake the line. */
#include "master/face/agent.h"

#include <errno.h>
#include <ev.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/ear.h"
#include "master/change/ready.h"
#include "master/face/listener.h"
#include "master/face/places.h"
#include "master/fleet/permits.h"
#include "master/master.h"

#define PLACES 32             /* clients at a time */
#define PATIENCE CLOCK_SECOND /* nanoseconds for a client that has its answer to close */
#define READ_AT_ONCE 1024     /* bytes of a client's input read in one turn */
#define READ_MOST 16384       /* bytes of a client's input before it is disconnected */

struct agent {
	struct master *master;
	struct listener listener;
	struct places places;
};

/* A client that has its answer, and has not closed its side yet. It owns the socket, as input's
 * fd. */
struct asker {
	struct agent *agent;
	struct place place;
	struct ear input;
	size_t left; /* bytes of input that are still allowed */
};

/* The spare capacity of the hubs that accept: of their time, and of their shares of the connection
 * limit. */
struct rest {
	double part; /* one hub's share of the connection limit */
	double sum;  /* of the hubs' spare shares, each 0 to 1 */
	unsigned count;
};

static void
count_hub(const struct occupant *occupant, void *context)
{
	((struct rest *)context)->count++;
	(void)occupant;
}

/* Adds a hub's spare capacity: of time or of connections, whichever is less. */
static void
add_rest(const struct occupant *occupant, void *context)
{
	struct rest *rest = context;
	double time, places;

	/* A hung hub has no capacity, whether it computes or was stopped. */
	if (!occupant_accepts(occupant))
		return;
	time = 1 - occupant->slot->hubs[occupant->hub].busy;
	/* Rounded up to a tenth, so that a few connections do not lower the share. */
	places = ceil(10 * (1 - (double)counters_open(occupant_row(occupant)) / rest->part)) / 10;
	if (time > 0 && places > 0)
		rest->sum += time < places ? time : places;
}

/* Returns the spare capacity of all hubs in percent, in steps of ten, at least 10. */
static unsigned
share_left(const struct fleet *fleet, uint64_t limit)
{
	struct rest rest = {0};
	unsigned share = 0;

	roster_each_sitting(fleet, count_hub, &rest);
	if (rest.count == 0)
		return 10;
	rest.part = (double)limit / rest.count;
	roster_each_sitting(fleet, add_rest, &rest);
	/* Adds a little, so that a rounding error just below a step does not lose it. */
	share = (unsigned)(10 * rest.sum / rest.count + 1e-6) * 10;
	return share < 10 ? 10 : share;
}

/* Writes the line that agent.h describes. Returns its length. */
static int
write_line(const struct master *master, char *line, size_t size)
{
	const struct fleet *fleet = &master->fleet;
	uint64_t limit = permits_limit(fleet);
	struct worker_row total;

	if (master->phase != MASTER_SERVING)
		return snprintf(line, size, "drain\n");
	if (!ready_is(master))
		return snprintf(line, size, "down\n");
	total = counters_total(master->counters);
	if (counters_open(&total) >= limit)
		return snprintf(line, size, "ready up 0%%\n");
	return snprintf(line, size, "ready up %u%%\n", share_left(fleet, limit));
}

/* ---- clients ---- */

static void
client_end(struct place *place)
{
	struct asker *asker = CONTAINER_OF(place, struct asker, place);

	ear_stop(asker->agent->master->loop, &asker->input);
	close(asker->input.watcher.fd);
	free(asker);
}

/* Discards a client's input, since closing a socket with unread input resets the connection. A
 * client that sends READ_MOST bytes is disconnected. */
static void
on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct asker *asker = watcher->data;
	char text[READ_AT_ONCE];
	ssize_t length = recv(watcher->fd, text, sizeof text, MSG_DONTWAIT);

	(void)loop, (void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length > 0 && (size_t)length < asker->left) {
		asker->left -= (size_t)length;
		return;
	}
	places_leave(&asker->agent->places, &asker->place);
	client_end(&asker->place);
}

/* Takes a new client: answers at once, for a line fits into any socket's send buffer, and then
 * waits for the client to close. */
static void
take(int client, const struct sockaddr *from, void *context)
{
	struct agent *agent = context;
	struct asker *asker = calloc(1, sizeof *asker);
	char line[32];
	int length = write_line(agent->master, line, sizeof line);

	if (send(client, line, (size_t)length, MSG_NOSIGNAL) == length)
		shutdown(client, SHUT_WR);
	if (asker == NULL) {
		close(client);
		return;
	}
	asker->agent = agent;
	asker->left = READ_MOST;
	ear_init(&asker->input, on_input, client, EV_READ);
	asker->input.watcher.data = asker;
	ear_start(agent->master->loop, &asker->input);
	places_take(&agent->places, &asker->place, from);
}

/* ---- opening and closing ---- */

struct agent *
agent_new(struct master *master, int fd)
{
	struct agent *agent = calloc(1, sizeof *agent);

	if (agent == NULL) {
		log_error("cannot start the agent: no memory");
		close(fd);
		return NULL;
	}
	agent->master = master;
	places_init(&agent->places, master->loop, PLACES, PATIENCE, client_end);
	listener_init(&agent->listener, master->loop, fd, &agent->places, take, agent);
	return agent;
}

void
agent_pause(struct agent *agent)
{
	if (agent != NULL)
		listener_stop(&agent->listener);
}

void
agent_open(struct agent *agent)
{
	if (agent != NULL)
		listener_start(&agent->listener);
}

void
agent_stop(struct agent *agent)
{
	if (agent == NULL)
		return;
	agent_pause(agent);
	places_fini(&agent->places);
	close(agent->listener.input.watcher.fd);
	free(agent);
}
