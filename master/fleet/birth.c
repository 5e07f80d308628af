/* What can fail comes before the fork, and is undone if it or the fork does: the rows first, since
 * they are the heritage's, then the list of sockets, then the channel. */
#include "master/fleet/birth.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "master/fleet/spawn.h"

int
birth_fork(struct slot *slot)
{
	struct generation *generation = slot->generation;
	struct fleet *fleet = generation->fleet;
	struct worker_heritage heritage = generation->config.heritage;
	unsigned threads = generation->config.threads;
	int pair[2] = {-1, -1}, *sockets = NULL, error;

	CHECK_WHY(slot->pid == 0 && slot->pidfd == -1 && slot->channel == -1 && slot->rows == NULL,
		"what is left of the former process would be lost");
	CHECK(slot_seat(slot, 0) + threads <= fleet->sockets->seat_count);
	slot->rows = counters_claim(fleet->counters, slot->index, generation->number, threads);
	if (slot->rows != NULL && heritage.tally != NULL)
		tally_renew(heritage.tally, fleet->counters, slot->rows, threads);
	if (slot->rows != NULL)
		sockets = sockets_list(fleet->sockets, slot_seat(slot, 0), threads, &heritage.kept);
	if (sockets == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		goto fail;
	heritage.index = slot->index;
	heritage.threads = threads;
	heritage.channel = pair[1];
	heritage.master = getpid();
	heritage.backlog = fleet->sockets->backlog;
	heritage.capacity = slot->capacity;
	heritage.drain_timeout = generation->config.drain_timeout;
	heritage.sockets = sockets;
	heritage.counters = fleet->counters;
	heritage.rows = slot->rows;
	heritage.memo = slot->memo;
	*slot->memo = (struct worker_memo){.workers = generation->config.processes};
	slot->pid = spawn_worker(&heritage, &slot->pidfd);
	if (slot->pid == -1)
		goto fail;
	free(sockets);
	close(pair[1]);
	slot->channel = pair[0];
	return 0;
fail:
	error = slot->rows == NULL ? ENOSPC : errno;
	slot->pid = 0;
	if (slot->rows != NULL)
		counters_fold(fleet->counters, slot->rows, threads);
	slot->rows = NULL;
	free(sockets);
	if (pair[0] != -1) {
		close(pair[0]);
		close(pair[1]);
	}
	errno = error;
	return -1;
}
