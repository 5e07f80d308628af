/* Idle connections: held during the run, and probed at its end. */
#ifndef HUBBUB_LOAD_IDLE_H
#define HUBBUB_LOAD_IDLE_H

#include <stdbool.h>

struct driver;

/* Begins to open the thread's idle connections; they all are opened or given up when idle_workers
 * is 0. Returns false if there is no memory. Does not switch. */
bool idle_open(struct driver *driver);

/* Exchanges a message on each idle connection, counts whether it was answered, and closes it.
 * Switches. */
void idle_probe(struct driver *driver);

#endif
