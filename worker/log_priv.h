/* The worker's side of <hubbub/log.h>. */
#ifndef HUBBUB_WORKER_LOG_PRIV_H
#define HUBBUB_WORKER_LOG_PRIV_H

struct counters;

/* From now on counts there the lines that this process leaves out; NULL: nowhere. Before threads
 * start. */
void log_count_left_out(struct counters *counters);

#endif
