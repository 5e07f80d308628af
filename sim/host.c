/* Hosts are a short list: a world has few. */
#include "sim/host_priv.h"

#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/list.h"

struct host {
	struct list link; /* in hosts */
	char name[];
};

static struct list hosts = {&hosts, &hosts};

struct host *
hosts_begin(const char *name)
{
	struct host *first = host_named(name);

	CHECK_WHY(first != NULL, "no memory for a simulated world");
	return first;
}

void
hosts_end(void)
{
	while (!list_is_empty(&hosts)) {
		struct host *host = CONTAINER_OF(hosts.next, struct host, link);

		list_remove(&host->link);
		free(host);
	}
}

struct host *
host_named(const char *name)
{
	struct host *host;

	LIST_EACH (link, &hosts) {
		host = CONTAINER_OF(link, struct host, link);
		if (strcmp(host->name, name) == 0)
			return host;
	}
	host = malloc(sizeof *host + strlen(name) + 1);
	if (host == NULL)
		return NULL;
	strcpy(host->name, name);
	list_append(&hosts, &host->link);
	return host;
}

const char *
host_name(const struct host *host)
{
	return host->name;
}
