/* What can fail comes before the fork, and is undone if it or the fork does: the rows first, since
 * they are the heritage's, then the list of sockets, then the channel. */
#include "master/fleet/birth.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "master/fleet/spawn.h"
#include "master/say/capture.h"
#include "worker/recorders.h"

/* What the process gets of the slot, besides what its generation has. */
static void
fill_in(struct worker_heritage *heritage, const struct slot *slot)
{
	const struct fleet *fleet = slot->generation->fleet;

	heritage->index = slot->index;
	heritage->threads = slot->generation->config.threads;
	heritage->master = getpid();
	heritage->backlog = fleet->sockets->backlog;
	heritage->capacity = slot->capacity;
	heritage->drain_timeout = slot->generation->config.drain_timeout;
	heritage->counters = fleet->counters;
	heritage->rows = slot->rows;
	heritage->memo = slot->memo;
	heritage->recorders = recorders_head(fleet->recorders);
	heritage->rings = recorders_map(fleet->recorders, slot->rings, heritage->threads);
}

/* Makes the pipe for what the process prints. Returns whether it is there, or not wanted, or
 * refused for ever; without files or memory it may be there at the next try. */
static bool
make_output(struct slot *slot, int *output)
{
	const struct generation *generation = slot->generation;

	if (generation->config.captures)
		slot->capture = capture_new(generation->fleet->loop, slot->index, output);
	return !generation->config.captures || slot->capture != NULL || errno == EPERM ||
	       errno == ENOSYS;
}

static void
close_if(int fd, int none)
{
	if (fd != none)
		close(fd);
}

int
birth_fork(struct slot *slot)
{
	struct generation *generation = slot->generation;
	struct fleet *fleet = generation->fleet;
	struct worker_heritage heritage = generation->config.heritage;
	unsigned threads = generation->config.threads;
	int pair[2] = {-1, -1}, *sockets = NULL, error;

	CHECK_WHY(slot->pid == 0 && slot->pidfd == -1 && slot->channel == -1 &&
			  slot->rows == NULL && slot->rings == -1 && slot->capture == NULL,
		"what is left of the former process would be lost");
	CHECK(slot_seat(slot, 0) + threads <= fleet->sockets->seat_count);
	slot->rows = counters_claim(fleet->counters, slot->index, generation->number, threads);
	if (slot->rows != NULL && heritage.tally != NULL)
		tally_renew(heritage.tally, fleet->counters, slot->rows, threads);
	if (slot->rows != NULL)
		sockets = sockets_list(fleet->sockets, slot_seat(slot, 0), threads, &heritage.kept);
	if (sockets == NULL || !make_output(slot, &heritage.output) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		goto fail;
	slot->rings = recorders_claim(fleet->recorders, threads);
	CHECK(slot->rings == -1 || fleet->recorders != NULL);
	fill_in(&heritage, slot);
	heritage.channel = pair[1];
	heritage.sockets = sockets;
	*slot->memo = (struct worker_memo){.workers = generation->config.processes};
	slot->pid = spawn_worker(&heritage, &slot->pidfd);
	error = errno;
	recorders_unmap(fleet->recorders, heritage.rings, threads);
	errno = error;
	if (slot->pid == -1)
		goto fail;
	capture_set_process(slot->capture, slot->pid);
	free(sockets);
	close(pair[1]);
	close_if(heritage.output, 0);
	slot->channel = pair[0];
	return 0;
fail:
	error = errno;
	slot->pid = 0;
	if (slot->rows != NULL)
		counters_fold(fleet->counters, slot->rows, threads);
	slot->rows = NULL;
	recorders_bury(fleet->recorders, slot->rings, threads);
	slot->rings = -1;
	capture_free(slot->capture);
	slot->capture = NULL;
	free(sockets);
	close_if(heritage.output, 0);
	close_if(pair[0], -1);
	close_if(pair[1], -1);
	errno = error;
	return -1;
}
