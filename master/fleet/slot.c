/* The process behind a slot. A worker that does not read what it is told (orders.h) is hung. pid,
 * pidfd, channel and rows come and go together. */
#include "master/fleet/slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/timer.h"
#include "master/fleet/backoff.h"
#include "master/fleet/birth.h"
#include "master/fleet/obituary.h"
#include "master/fleet/orders.h"
#include "master/say/capture.h"
#include "master/say/history.h"
#include "master/start/limits.h"
#include "master/start/sandbox.h"

#define HEALTHY_AFTER 60.  /* seconds */
#define LAST_MESSAGES 1000 /* more than a socket holds */

/* Says once that a process sends what no worker sends: it may go on, and would fill the log. */
static void
note_stray(struct slot *slot, const char *what)
{
	if (!slot->has_strayed)
		log_warning("worker %u sent %s, which the master ignores", slot->index, what);
	slot->has_strayed = true;
}

static void
handle(struct slot *slot, const struct channel_message *message)
{
	const struct fleet_events *events = &slot->generation->fleet->events;
	const unsigned hubs = slot->generation->config.threads;

	if (message->hub >= hubs)
		note_stray(slot, "a message of a hub that does not exist");
	else if (message->kind == CHANNEL_READY)
		slot_event(slot, SUPERVISION_ALL_READY);
	else if (message->kind == CHANNEL_DRAINED && slot->state == SUPERVISION_DRAINING)
		slot->generation->fleet->slot_events->drained(slot, message->hub);
	else if (message->kind == CHANNEL_DUMPED)
		events->dumped(events->context, message->value);
	else if (message->kind == CHANNEL_DUMP_MISSED)
		events->dump_missed(events->context, message->value, hubs);
	else if (message->kind == CHANNEL_REOPEN_MISSED)
		orders_reopen_again(slot, message->value);
}

static void
receive_some(struct slot *slot, unsigned most)
{
	struct channel_message message;
	int descriptor, result = CHANNEL_MESSAGE;

	while (slot->channel != -1 && most-- > 0 && result != CHANNEL_NOTHING) {
		result = channel_receive(slot->channel, &message, &descriptor);
		if (result == CHANNEL_GONE) {
			/* The worker is dying; its pidfd becomes readable when it is dead. */
			ear_stop(slot->generation->fleet->loop, &slot->talk);
			return;
		}
		if (descriptor != -1)
			close(descriptor);
		if (result == CHANNEL_MESSAGE)
			handle(slot, &message);
		else if (result == CHANNEL_STRAY)
			note_stray(slot, "a record that is no message");
	}
}

/* At most so many, so that a worker that never stops sending does not keep the loop from others. */
static void
on_message(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	receive_some(watcher->data, SLOT_MESSAGES_AT_ONCE);
}

static void
on_healthy(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct slot *slot = timer->data;

	(void)loop, (void)events;
	slot->failures = 0;
}

static void
serve(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	CHECK_WHY(slot->ready == 0, "a process becomes ready once");
	slot->ready = clock_now();
	/* Becoming ready is a sign of life. */
	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++) {
		slot->hubs[hub].silent = 0;
		slot->hubs[hub].starvation = (struct starvation){0};
	}
	ev_timer_set(&slot->healthy, HEALTHY_AFTER, 0.);
	ev_timer_start(fleet->loop, &slot->healthy);
	log_debug("worker %u (pid %d) is ready, %.0f ms after its start", slot->index,
		(int)slot->pid, (double)(slot->ready - slot->started) / (double)CLOCK_MILLISECOND);
	fleet->slot_events->serves(slot);
}

/* ---- death ---- */

/* Forgets the process, after the obituary has read its rows. */
static void
clean_up(struct slot *slot)
{
	struct generation *generation = slot->generation;
	struct fleet *fleet = generation->fleet;

	ear_stop(fleet->loop, &slot->exit);
	ear_stop(fleet->loop, &slot->talk);
	ev_timer_stop(fleet->loop, &slot->healthy);
	if (slot->pidfd != -1)
		close(slot->pidfd);
	close(slot->channel);
	slot->pidfd = slot->channel = -1;
	slot->pid = 0;
	slot->must_accept = slot->must_leave = slot->has_strayed = false;
	slot->must_reopen[CHANNEL_LOG] = slot->must_reopen[CHANNEL_ACCESS_LOG] = false;
	/* First: if this master dies in between, its successor does not count these losses
	 * again. */
	counters_bury(fleet->counters, slot->rows, generation->config.threads);
	fleet->slot_events->lost(slot);
	counters_fold(fleet->counters, slot->rows, generation->config.threads);
	slot->rows = NULL;
	memset(slot->hubs, 0, generation->config.threads * sizeof *slot->hubs);
}

void
slot_reap(struct slot *slot)
{
	siginfo_t status = {0};
	idtype_t kind = slot->pidfd != -1 ? P_PIDFD : P_PID;

	if (slot->pid == 0)
		return;
	if (waitid(kind, (id_t)(kind == P_PIDFD ? slot->pidfd : slot->pid), &status,
		    WEXITED | WNOHANG) != 0)
		/* The process is dead all the same: its pidfd or SIGCHLD said so. */
		status = (siginfo_t){.si_errno = errno};
	else if (status.si_pid == 0)
		return;
	/* The worker's last messages are still in the channel. */
	receive_some(slot, LAST_MESSAGES);
	/* What the worker has printed comes before what is said of its death. */
	capture_leave(slot->capture);
	slot->capture = NULL;
	obituary_note(slot, &status);
	slot_event(slot, SUPERVISION_EXIT);
}

static void
on_death(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	slot_reap(watcher->data);
}

static void
pause_for(struct slot *slot, double seconds)
{
	timer_after(slot->generation->fleet->loop, &slot->respawn, seconds);
}

void
slot_hasten(struct slot *slot, double most)
{
	if (slot->state == SUPERVISION_BACKING_OFF &&
		ev_timer_remaining(slot->generation->fleet->loop, &slot->respawn) > most)
		pause_for(slot, most);
}

static void
say_pause(const struct slot *slot, double pause)
{
	char failed[32];

	snprintf(failed, sizeof failed, slot->failures == 1 ? "once" : "%u times in a row",
		slot->failures);
	history_note(LOG_WARNING, "worker %u failed %s; starting another in %.2f s", slot->index,
		failed, pause);
}

static void
back_off(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;
	int64_t served = slot->ready != 0 ? clock_now() - slot->ready : 0;
	double pause;

	slot->ready = 0;
	if (slot->generation->phase != GENERATION_SERVING) {
		fleet->slot_events->failed(slot);
		return;
	}
	pause = backoff_pause(&slot->failures, served, fleet_living(fleet) > 0);
	counters_note(&counters_server(fleet->counters)->respawns, 1);
	pause_for(slot, pause);
	fleet->slot_events->failed(slot);
	/* The server may have given up. */
	if (pause > 0 && slot->state == SUPERVISION_BACKING_OFF)
		say_pause(slot, pause);
}

/* ---- birth ---- */

static void
spawn(struct slot *slot)
{
	struct fleet *fleet = slot->generation->fleet;

	slot->fork_error = birth_fork(slot) == 0 ? 0 : errno;
	if (slot->fork_error != 0) {
		history_note(LOG_ERROR,
			"cannot fork worker %u: %s (limit on processes, files, their size or "
			"memory?)",
			slot->index, strerror(slot->fork_error));
		slot_event(slot, SUPERVISION_FORK_FAILED);
		return;
	}
	slot->is_killed = false;
	slot->started = clock_now();
	if (slot->pidfd != -1)
		ear_start_on(fleet->loop, &slot->exit, slot->pidfd);
	ear_start_on(fleet->loop, &slot->talk, slot->channel);
}

static void
on_respawn(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	slot_event(timer->data, SUPERVISION_PAUSE_OVER);
}

/* ---- leaving ---- */

void
slot_kill(struct slot *slot)
{
	if (slot->pid == 0)
		return;
	slot->is_killed = true;
	CHECK_WHY(slot->pid > 0, "0 and -1 are many processes");
	sandbox_kill(slot->pid, slot->pidfd, SIGKILL);
}

void
slot_leave(struct slot *slot, enum channel_kind leave_message)
{
	CHECK_WHY(slot->state != SUPERVISION_DRAINING || leave_message == CHANNEL_STOP,
		"a worker that leaves can only be told to hurry");
	slot->leave_message = leave_message;
	slot_event(slot, SUPERVISION_LEAVE);
}

/* ---- events ---- */

static void
kill_hung(struct slot *slot)
{
	enum memo_hook hook = memo_running(slot->memo);

	CHECK_WHY(slot->pid > 0, "0 and -1 are many processes");
	if (slot->state == SUPERVISION_STARTING && hook < MEMO_HOOK_MAX)
		memo_fail(slot->memo, "%s of worker %u has not returned for %g s",
			memo_hook_names[hook], slot->index,
			clock_seconds(slot->generation->config.hang_timeout));
	history_note(LOG_ERROR, "worker %u (pid %d) %s for %g s; killing it", slot->index,
		(int)slot->pid,
		slot->state == SUPERVISION_STARTING ? "does not get ready"
						    : "gives no sign of life",
		clock_seconds(slot->generation->config.hang_timeout));
	sandbox_kill(slot->pid, slot->pidfd, SIGKILL);
}

static void
act(struct slot *slot, enum supervision_action action)
{
	struct fleet *fleet = slot->generation->fleet;

	switch (action) {
	case SUPERVISION_NOTHING:
	case SUPERVISION_ACTION_MAX:
		return;
	case SUPERVISION_SPAWN:
		spawn(slot);
		return;
	case SUPERVISION_BACK_OFF:
		back_off(slot);
		return;
	case SUPERVISION_SERVE:
		serve(slot);
		return;
	case SUPERVISION_STEER_AROUND:
		fleet->slot_events->suspect(slot);
		return;
	case SUPERVISION_REJOIN:
		fleet->slot_events->rejoined(slot);
		return;
	case SUPERVISION_KILL:
		kill_hung(slot);
		return;
	case SUPERVISION_REPLACE:
		clean_up(slot);
		back_off(slot);
		return;
	case SUPERVISION_TELL:
		ev_timer_stop(fleet->loop, &slot->healthy);
		slot->must_accept = false;
		slot->must_leave = true;
		orders_catch_up(slot);
		return;
	case SUPERVISION_RETIRE:
		clean_up(slot);
		fleet->slot_events->gone(slot);
		return;
	case SUPERVISION_GIVE_UP_PAUSE:
		ev_timer_stop(fleet->loop, &slot->respawn);
		fleet->slot_events->gone(slot);
		return;
	}
}

void
slot_event(struct slot *slot, enum supervision_event event)
{
	struct supervision_cell cell = supervision_step(slot->state, event);

	DCHECK(supervision_can_come(slot->state, event));
	slot->state = cell.next;
	act(slot, cell.action);
	CHECK(slot_is_consistent(slot));
}

struct slot *
slot_new(struct generation *generation, unsigned index)
{
	struct slot *slot = calloc(1, sizeof *slot);

	if (slot == NULL)
		return NULL;
	slot->hubs = calloc(generation->config.threads, sizeof *slot->hubs);
	slot->memo = memo_new();
	if (slot->hubs == NULL || slot->memo == NULL) {
		free(slot->hubs);
		memo_free(&slot->memo);
		free(slot);
		return NULL;
	}
	slot->generation = generation;
	slot->index = index;
	slot->capacity = (int64_t)limits_connections(
		generation->config.heritage.addresses, generation->config.threads);
	slot->pidfd = slot->channel = slot->rings = -1;
	ear_init(&slot->exit, on_death, -1, EV_READ);
	ear_init(&slot->talk, on_message, -1, EV_READ);
	/* The worker's messages are handled before its death. */
	ev_set_priority(&slot->talk.watcher, 1);
	ev_init(&slot->respawn, on_respawn);
	ev_init(&slot->healthy, on_healthy);
	slot->exit.watcher.data = slot->talk.watcher.data = slot->respawn.data =
		slot->healthy.data = slot;
	return slot;
}

void
slot_free(struct slot *slot)
{
	CHECK(slot->pid == 0 && slot->capture == NULL);
	CHECK_WHY(!ear_is_active(&slot->exit) && !ear_is_active(&slot->talk) &&
			  !ev_is_active(&slot->healthy),
		"the loop still has the slot's watchers");
	ev_timer_stop(slot->generation->fleet->loop, &slot->respawn);
	free(slot->hubs);
	memo_free(&slot->memo);
	free(slot);
}
