/* The worker's side of <hubbub/log.h>. */
#ifndef HUBBUB_WORKER_LOG_PRIV_H
#define HUBBUB_WORKER_LOG_PRIV_H

#include <stdbool.h>

struct counters;

/* From now on counts there the lines that this process leaves out; NULL: nowhere. Before threads
 * start. */
void log_count_left_out(struct counters *counters);

/* Logs a line of level info about a client, without a limit: as hubbub_log, but the client is named
 * by the caller. file: where the line goes, whatever level is logged; 0: to the log. Returns false
 * with errno if the file has not taken the line. The hub's thread only. Switches: no. */
bool log_of_client(int file, const char *client, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
