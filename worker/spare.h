/* A file descriptor that a process keeps in reserve for what must work also when its files have run
 * out: a descriptor that arrives with a message, the log that is reopened.
 *
 * Another thread may take the place that spare_release has freed; the caller then fails, and asks
 * again later. */
#ifndef HUBBUB_WORKER_SPARE_H
#define HUBBUB_WORKER_SPARE_H

#include <stdbool.h>

/* Opens the spare descriptor, if there is none and one can be had. Any thread. Keeps errno. */
void spare_keep(void);

/* Closes the spare descriptor, so that the caller's next call may have its place. Returns whether
 * there was one. Any thread. */
bool spare_release(void);

/* In a new process that has closed all inherited descriptors: there is no spare one. */
void spare_forget(void);

#endif
