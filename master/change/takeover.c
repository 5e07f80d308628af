/* GO, the death of the old master and a timer all lead to take_over, which asks the commit word. So
 * a lost message costs a moment, and nothing else. Until NAMED this master sends nothing to the
 * service manager, which would refuse it. */
#include "master/change/takeover.h"

#include <unistd.h>

#include "hub/base/log.h"
#include "master/base/timer.h"
#include "master/change/commit.h"
#include "master/change/ready.h"
#include "master/change/word.h"
#include "master/master.h"
#include "master/say/history.h"
#include "master/say/notify.h"

static void
forget(struct master *master)
{
	struct former *former = master->former;

	ear_stop(master->loop, &former->talk);
	ev_timer_stop(master->loop, &former->look);
	if (former->channel != -1)
		close(former->channel);
	if (former->commit_file != -1)
		close(former->commit_file);
	former->channel = former->commit_file = -1;
	commit_free(&former->commit);
	commit_free(&former->elder);
}

/* Ends this master before it has served. */
static void
give_way(struct master *master, const char *why)
{
	ev_timer_stop(master->loop, &master->former->look);
	log_error("%s; leaving", why);
	master->upgrade_events.stop(master, 1);
}

/* The service manager knows this master now: tells it the present state. */
static void
begin_to_speak(struct master *master)
{
	notify_named();
	if (master->phase <= MASTER_SERVING)
		ready_notify(master);
	else
		notify_send("STOPPING=1\nSTATUS=%s", ready_phase_names[master->phase]);
}

static void
take_over(struct master *master)
{
	struct former *former = master->former;

	/* No generation rises if a worker has died meanwhile: then this master is about to end. */
	if (!master->is_successor || master->fleet.rising == NULL)
		return;
	if (!commit_take(former->commit, former->is_dead)) {
		/* Otherwise it is too early: GO or the timer asks again. */
		if (commit_state(former->commit) == COMMIT_WITHDRAWN)
			give_way(master, "the former master gave the upgrade up");
		return;
	}
	ev_timer_stop(master->loop, &former->look);
	/* The former master has taken over from an older master, which may have found the former
	 * master dead, and have retaken the server. */
	if (former->elder != NULL && !commit_leave(former->elder)) {
		give_way(master, "the former master is dead, and the one before it serves again");
		return;
	}
	master->is_successor = false;
	fleet_inherit(&master->fleet, sockets_own(&master->sockets));
	fleet_commit(&master->fleet);
	counters_note(&counters_server(master->counters)->upgrades, 1);
	history_note(LOG_INFO, "took over from the former master, pid %d", (int)former->pid);
	master->upgrade_events.took_over(master);
	if (former->channel != -1)
		word_send(former->channel, WORD_TOOK, -1);
	else
		begin_to_speak(master);
}

static void
on_former_word(struct master *master, enum word word, int file)
{
	switch (word) {
	case WORD_GO:
		take_over(master);
		break;
	case WORD_NAMED:
		master->former->has_named = true;
		begin_to_speak(master);
		break;
	case WORD_DRAIN:
		master->upgrade_events.drain(master);
		break;
	case WORD_MORE:
		master->upgrade_events.add_workers(master, 1);
		break;
	case WORD_FEWER:
		master->upgrade_events.add_workers(master, -1);
		break;
	case WORD_REOPEN:
		word_reopen(master, file);
		master->upgrade_events.reopened(master);
		break;
	default:
		log_warning("the former master sent an unknown word (%u)", word);
	}
}

/* The channel has ended: the former master is dead, has withdrawn, or has drained. */
static void
lose_former(struct master *master)
{
	struct former *former = master->former;

	ear_stop(master->loop, &former->talk);
	close(former->channel);
	former->channel = -1;
	if (!master->is_successor) {
		forget(master);
		/* NAMED will not come any more. */
		if (!former->has_named)
			begin_to_speak(master);
		master->upgrade_events.may_end(master);
	} else if (commit_state(former->commit) == COMMIT_WITHDRAWN) {
		give_way(master, "the former master gave the upgrade up");
	} else {
		history_note(LOG_ERROR, "the former master (pid %d) is dead; taking over%s",
			(int)former->pid, former->has_risen ? "" : " when the workers are ready");
		former->is_dead = true;
		if (former->has_risen)
			take_over(master);
	}
}

static void
on_former(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct master *master = watcher->data;

	(void)loop, (void)events;
	if (!word_receive(master, &master->former->channel, on_former_word))
		lose_former(master);
}

static void
on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	take_over(timer->data);
}

void
takeover_listen(struct master *master)
{
	struct former *former = master->former;

	ear_init(&former->talk, on_former, former->channel, EV_READ);
	former->talk.watcher.data = former->look.data = master;
	ear_start(master->loop, &former->talk);
}

void
takeover_risen(struct master *master)
{
	struct former *former = master->former;

	former->has_risen = true;
	if (former->is_dead) {
		take_over(master);
		return;
	}
	word_send(former->channel, WORD_RISEN, -1);
	/* May already run: a generation rises again after one of its hubs was hung and came
	 * back. */
	timer_start(master->loop, &former->look, COMMIT_LOOK_EVERY, COMMIT_LOOK_EVERY);
}

void
takeover_fail(const struct master *master, const char *why)
{
	log_error("cannot take over: %s", why);
	if (master->former->channel != -1)
		word_send_text(master->former->channel, WORD_FELL, why);
}

void
takeover_reopen(struct master *master)
{
	if (master->former->channel != -1)
		word_send(master->former->channel, WORD_REOPEN, STDERR_FILENO);
}

void
takeover_leave(struct master *master)
{
	struct former *former = master->former;

	if (master->is_successor || former->channel == -1 || former->is_left)
		return;
	former->is_left = true;
	commit_leave(former->commit);
	word_send(former->channel, WORD_LEAVING, -1);
}

void
takeover_stop(struct master *master)
{
	if (!master->is_successor && master->former->channel != -1)
		word_send(master->former->channel, WORD_STOP, -1);
}

bool
takeover_is_complete(struct master *master)
{
	/* The old master's words may still be in the channel. */
	word_receive(master, &master->former->channel, on_former_word);
	return master->former->channel == -1 || master->former->has_named;
}

bool
takeover_must_stay(const struct master *master)
{
	return master->former->channel != -1 && master->former->is_left && !master->is_stopped;
}

void
takeover_init(struct former *former)
{
	*former = (struct former){.channel = -1, .commit_file = -1};
	ear_init(&former->talk, on_former, -1, EV_READ);
	ev_init(&former->look, on_look);
}

void
takeover_fini(struct master *master)
{
	takeover_leave(master);
	forget(master);
}
