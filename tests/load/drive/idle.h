/* Connections that are only held. */
#ifndef HUBBUB_LOAD_IDLE_H
#define HUBBUB_LOAD_IDLE_H

#include <stdbool.h>

struct driver;

/* Begins to open this thread's idle connections; that is done when idle_workers is 0. Returns false
 * if there is no memory. */
bool idle_open(struct driver *driver);

/* Exchanges a message on each, and closes it. Switches. */
void idle_probe(struct driver *driver);

#endif
