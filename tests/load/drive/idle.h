/* Idle connections: held during the run, and probed at its end. */
#ifndef HUBBUB_LOAD_IDLE_H
#define HUBBUB_LOAD_IDLE_H

#include <stdbool.h>

struct driver;

/* Begins to open the thread's idle connections; they all are opened or given up when idle_workers
 * is 0. Returns false if there is no memory. Does not switch. */
bool idle_open(struct driver *driver);

/* With --redial, begins to open idle connections again that end, until idle_probe. Their ends are
 * errors. Does not switch. */
void idle_watch(struct driver *driver);

/* Gives up a connection without an unanswered message for a random one of the idle connections,
 * which takes its place. Returns that one's file descriptor; fd itself if most have ended. Does not
 * switch. */
int idle_exchange(struct driver *driver, int fd);

/* Exchanges a message on each idle connection, counts whether it was answered, and closes it.
 * Switches. */
void idle_probe(struct driver *driver);

#endif
