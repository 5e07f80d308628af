/* All that names this process to the outside, opened and closed together. The sockets are in
 * master->handed_on, from doors_prepare or from a former master; what answers there is in
 * master->control, admins and agents. */
#include "master/face/doors.h"

#include <unistd.h>

#include "master/face/admin.h"
#include "master/face/agent.h"
#include "master/face/ask.h"
#include "master/face/control.h"
#include "master/master.h"
#include "master/sockets/claim.h"
#include "master/start/pidfile.h"

#define LOOK_EVERY 1. /* seconds */

int
doors_prepare(struct master *master)
{
	const struct options *options = &master->options;
	struct handed_on *on = &master->handed_on;
	bool is_fatal = false;

	if (options->pidfile != NULL && (on->pidfile = pidfile_take(options->pidfile)) == -1)
		return -1;
	if (claim_listen(options->admin_at.addresses, options->admin_at.count, "admin",
		    on->admins) != 0 ||
		claim_listen(options->agent_at.addresses, options->agent_at.count, "agent",
			on->agents) != 0)
		return -1;
	return control_listen(master, options->control, on, &is_fatal) == -1 && is_fatal ? -1 : 0;
}

/* change_events.ended: tells the clients of the control socket. */
static void
tell_change(struct master *master, const char *why)
{
	control_changed(master->control, why);
}

/* Looks whether a cleaner of /run or /tmp has removed a file. */
static void
on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;

	(void)loop, (void)events;
	/* An upgrade has handed on the files as they were when it began. */
	if (master->change == CHANGE_UPGRADE)
		return;
	control_look(master->control);
	pidfile_look(master->handed_on.pidfile, master->options.pidfile);
	sockets_look(&master->sockets);
}

int
doors_build(struct master *master)
{
	const struct handed_on *on = &master->handed_on;

	for (int i = 0; i < ADDRESSES_MAX; i++) {
		int admin = on->admins[i], agent = on->agents[i];

		if ((admin != -1 && (master->admins[i] = admin_new(master, admin)) == NULL) ||
			(agent != -1 && (master->agents[i] = agent_new(master, agent)) == NULL))
			return -1;
	}
	if (on->control != -1 && (master->control = control_new(master)) == NULL)
		return -1;
	ev_timer_init(&master->look, on_look, LOOK_EVERY, LOOK_EVERY);
	master->look.data = master;
	master->change_events.ended = tell_change;
	return 0;
}

void
doors_open(struct master *master)
{
	if (master->handed_on.pidfile != -1)
		pidfile_write(master->handed_on.pidfile);
	control_start(master->control);
	ev_timer_again(master->loop, &master->look);
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		admin_open(master->admins[i]);
		agent_open(master->agents[i]);
	}
}

void
doors_pause(struct master *master)
{
	control_pause(master->control);
	ev_timer_stop(master->loop, &master->look);
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		admin_pause(master->admins[i]);
		agent_pause(master->agents[i]);
	}
}

void
doors_hand_over(struct master *master)
{
	doors_pause(master);
	for (int i = 0; i < ADDRESSES_MAX; i++)
		admin_hand_over(master->admins[i]);
}

void
doors_close(struct master *master, bool is_ours)
{
	struct handed_on *on = &master->handed_on;

	ev_timer_stop(master->loop, &master->look);
	ask_drop_all(master);
	if (master->control != NULL)
		control_close(master->control, is_ours);
	else if (on->control != -1)
		control_discard(on, is_ours);
	on->control = -1;
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		admin_stop(master->admins[i]);
		agent_stop(master->agents[i]);
		master->admins[i] = NULL;
		master->agents[i] = NULL;
	}
	if (is_ours)
		pidfile_remove(on->pidfile, master->options.pidfile);
	else if (on->pidfile != -1)
		close(on->pidfile);
	master->control = NULL;
	on->pidfile = -1;
}
