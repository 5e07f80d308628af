#include "master/fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/backoff.h"
#include "master/spawn.h"
#include "worker/channel.h"

#define HEALTHY_AFTER 60.         /* seconds */
#define FAILURES_AT_FIRST_BOOT 10 /* of one slot, before any worker was ever ready */

static void slot_spawn(struct slot *slot);

static void
slot_tell(struct slot *slot, enum channel_kind kind, unsigned hub)
{
	struct channel_message message = {kind, hub};

	if (slot->channel == -1)
		return;
	/* Never wait for a worker: one that does not read is hung, and is dealt with as such. */
	if (send(slot->channel, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_warning("cannot reach worker %u (pid %d): %s", slot->index, (int)slot->pid,
			strerror(errno));
}

static unsigned
count_state(const struct fleet *fleet, enum slot_state state)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fleet->count; i++)
		count += fleet->slots[i].state == state;
	return count;
}

/* ---- ready ---- */

static void
slot_ready(struct slot *slot)
{
	struct fleet *fleet = slot->fleet;

	slot->state = SLOT_READY;
	fleet->has_served = true;
	slot->ready = clock_now();
	ev_timer_set(&slot->healthy, HEALTHY_AFTER, 0.);
	ev_timer_start(fleet->loop, &slot->healthy);
	log_debug("worker %u (pid %d) serves, %.0f ms after its start", slot->index, (int)slot->pid,
		(double)(slot->ready - slot->started) / (double)CLOCK_MILLISECOND);
	if (!fleet->was_ready && count_state(fleet, SLOT_READY) == fleet->count) {
		fleet->was_ready = true;
		fleet->events.all_ready(fleet->events.context);
	}
}

static void
hub_ready(struct slot *slot, unsigned hub)
{
	struct fleet *fleet = slot->fleet;

	if (sockets_listen(fleet->sockets, slot->index, hub) != 0) {
		log_error("cannot listen for hub %u of worker %u: %s", hub, slot->index,
			strerror(errno));
		return;
	}
	/* Every address has a socket that another server's probe finds. */
	sockets_unlock_ports(fleet->sockets);
	slot_tell(slot, CHANNEL_ACCEPT, hub);
	if (++slot->ready_hubs == fleet->heritage.threads)
		slot_ready(slot);
}

static void
on_message(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct slot *slot = watcher->data;
	struct channel_message message;
	ssize_t length = recv(slot->channel, &message, sizeof message, MSG_DONTWAIT);

	(void)events;
	if (length != sizeof message) {
		/* The worker is dying; its pidfd tells when it is dead. */
		if (length >= 0 || (errno != EAGAIN && errno != EINTR))
			ev_io_stop(loop, watcher);
		return;
	}
	if (message.hub >= slot->fleet->heritage.threads) {
		log_warning(
			"worker %u speaks of hub %u, which it has not", slot->index, message.hub);
		return;
	}
	if (message.kind == CHANNEL_READY && slot->state == SLOT_STARTING)
		hub_ready(slot, message.hub);
	else if (message.kind == CHANNEL_DRAINED)
		log_debug("hub %u of worker %u accepts no more", message.hub, slot->index);
}

static void
on_healthy(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct slot *slot = timer->data;

	(void)loop, (void)events;
	slot->failures = 0;
}

/* ---- death ---- */

static void
log_death(const struct slot *slot, const siginfo_t *status)
{
	double age = (double)(clock_now() - slot->started) / (double)CLOCK_SECOND;

	if (slot->state == SLOT_DRAINING && status->si_code == CLD_EXITED && status->si_status == 0)
		log_debug("worker %u (pid %d) has drained", slot->index, (int)slot->pid);
	else if (slot->is_killed)
		log_debug("worker %u (pid %d) is killed", slot->index, (int)slot->pid);
	else if (status->si_code == CLD_EXITED)
		log_error("worker %u (pid %d) exited with code %d after %.1f s", slot->index,
			(int)slot->pid, status->si_status, age);
	else
		log_error("worker %u (pid %d) was killed by signal %d (%s) after %.1f s",
			slot->index, (int)slot->pid, status->si_status,
			strsignal(status->si_status), age);
}

static void
slot_close(struct slot *slot)
{
	struct fleet *fleet = slot->fleet;
	struct worker_row *rows = counters_rows(fleet->counters, slot->index);

	ev_io_stop(fleet->loop, &slot->exit);
	ev_io_stop(fleet->loop, &slot->talk);
	ev_timer_stop(fleet->loop, &slot->healthy);
	close(slot->exit.fd);
	close(slot->channel);
	slot->channel = -1;
	slot->pid = 0;
	slot->ready_hubs = 0;
	for (unsigned hub = 0; hub < fleet->heritage.threads; hub++)
		counters_fold(&fleet->total, &rows[hub]);
}

static void
slot_close_sockets(struct slot *slot)
{
	for (unsigned hub = 0; hub < slot->fleet->heritage.threads; hub++)
		sockets_close_hub(slot->fleet->sockets, slot->index, hub);
}

/* For good: who waits in its sockets' queues is refused now, instead of being kept waiting. */
static void
slot_empty(struct slot *slot)
{
	slot->state = SLOT_EMPTY;
	slot_close_sockets(slot);
}

/* While nobody serves, nobody waits long. */
static void
hasten(struct fleet *fleet)
{
	if (count_state(fleet, SLOT_READY) > 0)
		return;
	for (unsigned i = 0; i < fleet->count; i++) {
		struct slot *slot = &fleet->slots[i];

		if (slot->state != SLOT_BACKING_OFF ||
			ev_timer_remaining(fleet->loop, &slot->respawn) <= BACKOFF_MAX_ALONE)
			continue;
		ev_timer_stop(fleet->loop, &slot->respawn);
		ev_timer_set(&slot->respawn, BACKOFF_MAX_ALONE, 0.);
		ev_timer_start(fleet->loop, &slot->respawn);
	}
}

static void
slot_back_off(struct slot *slot, int64_t served)
{
	struct fleet *fleet = slot->fleet;
	double pause;

	slot->state = SLOT_BACKING_OFF;
	pause = backoff_pause(&slot->failures, served, count_state(fleet, SLOT_READY) > 0);
	if (!fleet->has_served && slot->failures >= FAILURES_AT_FIRST_BOOT) {
		log_error("no worker could start in %u tries each; giving up", slot->failures);
		fleet->events.hopeless(fleet->events.context);
		return;
	}
	if (pause > 0)
		log_warning("worker %u failed %u times in a row; starting another in %.2f s",
			slot->index, slot->failures, pause);
	ev_now_update(fleet->loop);
	ev_timer_set(&slot->respawn, pause, 0.);
	ev_timer_start(fleet->loop, &slot->respawn);
	hasten(fleet);
}

static void
on_death(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct slot *slot = watcher->data;
	struct fleet *fleet = slot->fleet;
	int64_t served = slot->state == SLOT_READY ? clock_now() - slot->ready : 0;
	siginfo_t status = {0};

	(void)loop, (void)events;
	if (waitid(P_PIDFD, (id_t)watcher->fd, &status, WEXITED | WNOHANG) == 0 &&
		status.si_pid == 0)
		return;
	log_death(slot, &status);
	slot_close(slot);
	if (!fleet->is_leaving) {
		slot_back_off(slot, served);
		return;
	}
	slot_empty(slot);
	if (count_state(fleet, SLOT_EMPTY) == fleet->count)
		fleet->events.all_gone(fleet->events.context);
}

/* ---- birth ---- */

static int
slot_fork(struct slot *slot, int *pidfd)
{
	struct fleet *fleet = slot->fleet;
	struct worker_heritage heritage = fleet->heritage;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	heritage.index = slot->index;
	heritage.channel = pair[1];
	heritage.sockets = sockets_of_worker(fleet->sockets, slot->index);
	heritage.counters = fleet->counters;
	heritage.rows = counters_rows(fleet->counters, slot->index);
	slot->pid = spawn_worker(&heritage, fleet->identity, pidfd);
	close(pair[1]);
	if (slot->pid == -1) {
		int error = errno;

		slot->pid = 0;
		close(pair[0]);
		errno = error;
		return -1;
	}
	slot->channel = pair[0];
	return 0;
}

static void
slot_spawn(struct slot *slot)
{
	struct fleet *fleet = slot->fleet;
	int pidfd;

	if (slot_fork(slot, &pidfd) != 0) {
		log_error("cannot fork worker %u: %s (limit on processes, files or memory?)",
			slot->index, strerror(errno));
		slot_back_off(slot, 0);
		return;
	}
	slot->state = SLOT_STARTING;
	slot->started = clock_now();
	ev_io_init(&slot->exit, on_death, pidfd, EV_READ);
	ev_io_init(&slot->talk, on_message, slot->channel, EV_READ);
	slot->exit.data = slot->talk.data = slot;
	ev_io_start(fleet->loop, &slot->exit);
	ev_io_start(fleet->loop, &slot->talk);
}

static void
on_respawn(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	slot_spawn(timer->data);
}

/* ---- the fleet ---- */

int
fleet_init(struct fleet *fleet, unsigned count)
{
	fleet->slots = calloc(count, sizeof *fleet->slots);
	if (fleet->slots == NULL)
		return -1;
	fleet->count = count;
	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = &fleet->slots[i];

		slot->fleet = fleet;
		slot->index = i;
		slot->channel = -1;
		ev_timer_init(&slot->respawn, on_respawn, 0., 0.);
		ev_timer_init(&slot->healthy, on_healthy, 0., 0.);
		slot->respawn.data = slot->healthy.data = slot;
	}
	return 0;
}

void
fleet_start(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->count; i++)
		slot_spawn(&fleet->slots[i]);
}

/* Nobody is born any more; who lives gets to hear kind. */
static void
fleet_leave(struct fleet *fleet, enum channel_kind kind)
{
	fleet->is_leaving = true;
	for (unsigned i = 0; i < fleet->count; i++) {
		struct slot *slot = &fleet->slots[i];

		ev_timer_stop(fleet->loop, &slot->respawn);
		if (slot->channel == -1) {
			slot_empty(slot);
			continue;
		}
		slot->state = SLOT_DRAINING;
		/* The worker alone holds its sockets now: it accepts what is queued, and closes. */
		slot_close_sockets(slot);
		slot_tell(slot, kind, 0);
	}
	if (count_state(fleet, SLOT_EMPTY) == fleet->count)
		fleet->events.all_gone(fleet->events.context);
}

void
fleet_drain(struct fleet *fleet)
{
	fleet_leave(fleet, CHANNEL_DRAIN);
}

void
fleet_stop(struct fleet *fleet)
{
	fleet_leave(fleet, CHANNEL_STOP);
}

void
fleet_kill(struct fleet *fleet)
{
	/* By pid: a worker that is not reaped yet keeps its own. */
	for (unsigned i = 0; i < fleet->count; i++)
		if (fleet->slots[i].pid > 0) {
			fleet->slots[i].is_killed = true;
			kill(fleet->slots[i].pid, SIGKILL);
		}
	fleet_leave(fleet, CHANNEL_STOP);
}

struct worker_row
fleet_total(const struct fleet *fleet)
{
	struct worker_row total = fleet->total;

	for (unsigned i = 0; i < fleet->count; i++) {
		const struct worker_row *rows = counters_rows(fleet->counters, i);

		for (unsigned hub = 0; hub < fleet->heritage.threads; hub++) {
			total.accepted += __atomic_load_n(&rows[hub].accepted, __ATOMIC_RELAXED);
			total.closed += __atomic_load_n(&rows[hub].closed, __ATOMIC_RELAXED);
			total.hub.bytes_received +=
				__atomic_load_n(&rows[hub].hub.bytes_received, __ATOMIC_RELAXED);
			total.hub.bytes_sent +=
				__atomic_load_n(&rows[hub].hub.bytes_sent, __ATOMIC_RELAXED);
		}
	}
	return total;
}

uint64_t
fleet_open(const struct fleet *fleet)
{
	struct worker_row total = fleet_total(fleet);

	return total.accepted - total.closed;
}

void
fleet_fini(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->count; i++)
		CHECK(fleet->slots[i].pid == 0);
	free(fleet->slots);
	fleet->slots = NULL;
}
