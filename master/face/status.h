/* The state of the server, from shared memory and the master's records: no worker is asked, so
 * nothing blocks. */
#ifndef HUBBUB_FACE_STATUS_H
#define HUBBUB_FACE_STATUS_H

struct fleet;
struct master;

/* Returns the state as a JSON text, for /stats.json, hubbub-ctl and the live page, which the caller
 * frees. NULL if out of memory. */
char *status_json(const struct master *master);

/* Returns the most connections on a hub divided by the mean of all hubs that accept; 1 if they are
 * even. */
double status_imbalance(const struct fleet *fleet);

/* Returns the most connections on a hub minus that mean. */
double status_excess(const struct fleet *fleet);

#endif
