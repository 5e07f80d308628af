#include "master/doors.h"

#include <unistd.h>

#include "master/claim.h"
#include "master/master.h"
#include "master/pidfile.h"

int
doors_prepare(struct master *master)
{
	const struct options *options = &master->options;
	bool is_fatal = false;

	if (options->pidfile != NULL && (master->pidfile = pidfile_take(options->pidfile)) == -1)
		return -1;
	if (claim_listen(options->admin_at.addresses, options->admin_at.count, "admin",
		    master->admin_sockets) != 0 ||
		claim_listen(options->agent_at.addresses, options->agent_at.count, "agent",
			master->agent_sockets) != 0)
		return -1;
	master->control = control_open(master, options->control, &master->identity, &is_fatal);
	return master->control == NULL && is_fatal ? -1 : 0;
}

int
doors_build(struct master *master)
{
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		int admin = master->admin_sockets[i], agent = master->agent_sockets[i];

		master->admin_sockets[i] = master->agent_sockets[i] = -1;
		if ((admin != -1 && (master->admins[i] = admin_new(master, admin)) == NULL) ||
			(agent != -1 && (master->agents[i] = agent_new(master, agent)) == NULL))
			return -1;
	}
	return 0;
}

void
doors_open(struct master *master)
{
	if (master->pidfile != -1)
		pidfile_write(master->pidfile);
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
	control_close(master->control, is_ours);
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		admin_stop(master->admins[i]);
		agent_stop(master->agents[i]);
		master->admins[i] = NULL;
		master->agents[i] = NULL;
	}
	if (is_ours)
		pidfile_remove(master->pidfile, master->options.pidfile);
	else if (master->pidfile != -1)
		close(master->pidfile);
	master->control = NULL;
	master->pidfile = -1;
}
