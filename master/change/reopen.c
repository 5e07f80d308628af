/* The file of a reload under way is opened again, too: the reload may have opened it before its
 * rotation. */
#include "master/change/reopen.h"

#include "master/master.h"
#include "master/say/accesslog.h"

void
reopen_prepare(struct master *master)
{
	int file = master->options.worker.access_file;

	if (master->privileges.changes && file != 0)
		accesslog_give(file, master->privileges.user, master->privileges.group);
}

void
reopen_check(const struct master *master)
{
	if (master->privileges.changes && master->options.worker.access_file != 0)
		accesslog_check(master->options.access_log);
}

bool
reopen_access_log(struct master *master)
{
	const struct options *all[] = {&master->next, &master->options};
	bool is_open = false;

	for (int i = 0; i < 2; i++)
		is_open = all[i]->worker.access_file != 0 &&
			  accesslog_reopen(all[i]->access_log, all[i]->worker.access_file);
	if (is_open)
		fleet_reopen_access(&master->fleet, master->options.worker.access_file);
	return is_open;
}
