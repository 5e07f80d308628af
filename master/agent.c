#include "master/agent.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/master.h"
#include "master/permits.h"
#include "master/ready.h"

#define ANSWERS_AT_ONCE 16
#define AGAIN_AFTER 0.1 /* seconds, when files ran out */

struct agent {
	struct master *master;
	ev_io listener;
	ev_timer again;
};

/* How busy the hubs are that accept. */
struct load {
	double sum;
	unsigned count;
};

static void
add_busy(const struct occupant *occupant, void *context)
{
	struct load *load = context;

	load->sum += occupant->slot->hubs[occupant->hub].busy;
	load->count++;
}

/* How much of the hubs' time is left, of a hundred, in steps of ten and never nothing. */
static unsigned
idle_share(const struct fleet *fleet)
{
	struct load busy = {0};
	unsigned share = 0;

	roster_each_sitting(fleet, add_busy, &busy);
	if (busy.count > 0)
		share = (unsigned)(100 * (1 - busy.sum / busy.count)) / 10 * 10;
	return share < 10 ? 10 : share > 100 ? 100 : share;
}

static int
write_line(const struct master *master, char *line, size_t size)
{
	const struct fleet *fleet = &master->fleet;
	struct worker_row total;

	if (master->phase != MASTER_SERVING)
		return snprintf(line, size, "drain\n");
	if (!ready_is(master))
		return snprintf(line, size, "down\n");
	total = counters_total(master->counters);
	if (counters_open(&total) >= permits_limit(fleet))
		return snprintf(line, size, "ready up 0%%\n");
	return snprintf(line, size, "ready up %u%%\n", idle_share(fleet));
}

/* A line fits into any socket's buffer, so nobody is waited for. */
static void
on_connect(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct agent *agent = watcher->data;
	char line[32];

	(void)events;
	for (int i = 0; i < ANSWERS_AT_ONCE; i++) {
		int client = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client != -1) {
			int length = write_line(agent->master, line, sizeof line);

			/* What it may have asked is read, because unread bytes make the close a
			 * reset. */
			if (send(client, line, (size_t)length, MSG_NOSIGNAL) == length)
				shutdown(client, SHUT_WR);
			while (recv(client, line, sizeof line, MSG_DONTWAIT) > 0)
				continue;
			close(client);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			ev_io_stop(loop, watcher);
			ev_timer_set(&agent->again, AGAIN_AFTER, 0.);
			ev_timer_start(loop, &agent->again);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *agent = timer->data;

	(void)events;
	ev_io_start(loop, &agent->listener);
}

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
	ev_io_init(&agent->listener, on_connect, fd, EV_READ);
	ev_init(&agent->again, on_again);
	agent->listener.data = agent->again.data = agent;
	return agent;
}

void
agent_pause(struct agent *agent)
{
	if (agent == NULL)
		return;
	ev_io_stop(agent->master->loop, &agent->listener);
	ev_timer_stop(agent->master->loop, &agent->again);
}

void
agent_open(struct agent *agent)
{
	if (agent != NULL)
		ev_io_start(agent->master->loop, &agent->listener);
}

void
agent_stop(struct agent *agent)
{
	if (agent == NULL)
		return;
	agent_pause(agent);
	close(agent->listener.fd);
	free(agent);
}
