#include "master/doors.h"

#include <unistd.h>

#include "master/admin.h"
#include "master/agent.h"
#include "master/claim.h"
#include "master/control.h"
#include "master/master.h"
#include "master/pidfile.h"

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
	on->control = control_listen(
		master, options->control, &master->identity, on->control_path, &is_fatal);
	return on->control == -1 && is_fatal ? -1 : 0;
}

/* The change that clients of the control socket may wait for has ended. */
static void
tell_change(struct master *master, const char *why)
{
	control_changed(master->control, why);
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
	if (on->control != -1 &&
		(master->control = control_new(master, on->control, on->control_path)) == NULL)
		return -1;
	master->change_events.ended = tell_change;
	return 0;
}

void
doors_open(struct master *master)
{
	if (master->handed_on.pidfile != -1)
		pidfile_write(master->handed_on.pidfile);
	control_start(master->control);
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		admin_open(master->admins[i]);
		agent_open(master->agents[i]);
	}
}

void
doors_pause(struct master *master)
{
	control_pause(master->control);
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

	control_close(master->control, is_ours);
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
