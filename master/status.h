/* The state of the server, from shared memory and the master's own: no worker is asked. */
#ifndef HUBBUB_MASTER_STATUS_H
#define HUBBUB_MASTER_STATUS_H

#include <stddef.h>

struct master;

/* The state as JSON, for /stats.json, hubbub-ctl and the page. The caller frees it. NULL without
 * memory. */
char *status_json(const struct master *master);

/* The same numbers for Prometheus, by its text format. The caller frees it. NULL without memory. */
char *status_metrics(const struct master *master, size_t *length);

#endif
