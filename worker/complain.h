/* Log lines that clients can provoke: at most one a second in the whole server, so that no client
 * can fill the log. */
#ifndef HUBBUB_WORKER_COMPLAIN_H
#define HUBBUB_WORKER_COMPLAIN_H

struct counters;

/* Logs why a client was not accepted or served, unless any hub of the server has logged such a line
 * within the last second. Any thread. */
void complain(struct counters *counters, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
