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
	if (options->admin != NULL &&
		(master->admin_socket = claim_listen(&options->admin_address, "admin")) == -1)
		return -1;
	if (options->agent != NULL &&
		(master->agent_socket = claim_listen(&options->agent_address, "agent")) == -1)
		return -1;
	master->control = control_open(master, options->control, &master->identity, &is_fatal);
	return master->control == NULL && is_fatal ? -1 : 0;
}

void
doors_open(struct master *master)
{
	if (master->pidfile != -1)
		pidfile_write(master->pidfile);
	control_start(master->control);
	if (master->admin_socket != -1)
		master->admin = admin_start(master, master->admin_socket);
	if (master->agent_socket != -1)
		master->agent = agent_start(master, master->agent_socket);
	master->admin_socket = master->agent_socket = -1;
}

void
doors_pause(struct master *master)
{
	control_pause(master->control);
	admin_pause(master->admin);
	agent_pause(master->agent);
}

void
doors_resume(struct master *master)
{
	if (master->pidfile != -1)
		pidfile_write(master->pidfile);
	control_start(master->control);
	admin_resume(master->admin);
	agent_resume(master->agent);
}

void
doors_hand_over(struct master *master)
{
	doors_pause(master);
	admin_hand_over(master->admin);
}

void
doors_close(struct master *master, bool is_ours)
{
	control_close(master->control, is_ours);
	admin_stop(master->admin);
	agent_stop(master->agent);
	if (is_ours)
		pidfile_remove(master->pidfile, master->options.pidfile);
	else if (master->pidfile != -1)
		close(master->pidfile);
	master->control = NULL;
	master->admin = NULL;
	master->agent = NULL;
	master->pidfile = -1;
}
