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

#define PLACES 32
#define PATIENCE CLOCK_SECOND /* for a client that was answered to close */
#define READ_AT_ONCE 1024     /* bytes of what it says */
#define READ_MOST 16384

struct agent {
	struct master *master;
	struct listener listener;
	struct places places;
};

/* A client, which has its answer, and has not closed yet. */
struct asker {
	struct agent *agent;
	struct place place;
	struct ear input;
	size_t left; /* bytes that are still read */
};

/* What the hubs that accept have left, of their time and of their parts of the limit. */
struct rest {
	double part; /* of the limit, one hub's */
	double sum;
	unsigned count;
};

static void
count_hub(const struct occupant *occupant, void *context)
{
	((struct rest *)context)->count++;
	(void)occupant;
}

/* Who has no time is no better for having places, and the other way round. */
static void
add_rest(const struct occupant *occupant, void *context)
{
	struct rest *rest = context;
	double time, places;

	/* One that hangs has no time left, whether it computes or was stopped. */
	if (!occupant_accepts(occupant))
		return;
	time = 1 - occupant->slot->hubs[occupant->hub].busy;
	/* A step that has begun counts: a few connections make nobody less wanted. */
	places = ceil(10 * (1 - (double)counters_open(occupant_row(occupant)) / rest->part)) / 10;
	if (time > 0 && places > 0)
		rest->sum += time < places ? time : places;
}

/* How much of the hubs is left, of a hundred, in steps of ten and never nothing. */
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
	/* A double just below a step is the step. */
	share = (unsigned)(10 * rest.sum / rest.count + 1e-6) * 10;
	return share < 10 ? 10 : share;
}

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

/* What a client says is read, because unread bytes would make the close a reset, which may overtake
 * the answer; but only so much of it. */
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

/* Answers at once: a line fits into any socket's buffer. Then the client is waited for, for a
 * moment. */
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

/* ---- the door ---- */

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
