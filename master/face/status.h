/* The state of the server, from shared memory and the master's own: no worker is asked. */
#ifndef HUBBUB_FACE_STATUS_H
#define HUBBUB_FACE_STATUS_H

struct fleet;
struct master;

/* The state as JSON, for /stats.json, hubbub-ctl and the page. The caller frees it. NULL without
 * memory. */
char *status_json(const struct master *master);

/* Most connections on a hub over the mean; 1 is even. */
double status_imbalance(const struct fleet *fleet);

/* Most connections on a hub less the mean. */
double status_excess(const struct fleet *fleet);

#endif
