/* A wish of the service is a must: a service that keeps its state in one process would be wrong in
 * two. So nothing overrides it, neither the command line nor a scale. */
#include "master/start/shape.h"

#include <stdio.h>

#include "hub/base/log.h"
#include "master/start/cpus.h"
#include "master/start/table.h"

static void
set_default(struct hubbub_option *rows, const char *name, unsigned wish, char text[static 12])
{
	if (wish == 0)
		return;
	snprintf(text, 12, "%u", wish);
	table_set_standard(rows, name, text);
}

void
shape_set_defaults(struct hubbub_option *rows, const struct hubbub_service *service)
{
	static char processes[12], threads[12];

	set_default(rows, "processes", service->processes, processes);
	set_default(rows, "threads", service->threads, threads);
}

void
shape_choose(struct options *options, const struct hubbub_service *service)
{
	options->processes = options->asked_processes;
	options->threads = options->asked_threads;
	if (options->processes == 0)
		options->processes = service->processes;
	if (options->threads == 0)
		options->threads = service->threads;
	if (options->processes != 0 && options->threads != 0)
		return;
	options->cpus = cpus_allowed();
	if (options->processes == 0 && options->threads == 0)
		options->processes = options->cpus < 2 ? 1 : 2;
	else if (options->processes == 0)
		options->processes = (options->cpus + options->threads - 1) / options->threads;
	if (options->threads == 0)
		options->threads = (options->cpus + options->processes - 1) / options->processes;
}

const char *
shape_fault(const struct hubbub_service *service, unsigned processes, unsigned threads)
{
	static char fault[160];

	if (service->processes != 0 && processes != service->processes)
		snprintf(fault, sizeof fault, "%s runs in %u process%s, not in %u", service->name,
			service->processes, log_plural(service->processes, "es"), processes);
	else if (service->threads != 0 && threads != service->threads)
		snprintf(fault, sizeof fault, "%s runs in %u thread%s per process, not in %u",
			service->name, service->threads, log_plural(service->threads, "s"),
			threads);
	else
		return NULL;
	return fault;
}
