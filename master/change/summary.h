/* The server in a line, for the service manager's status: what it serves, by how many workers, how
 * many connections it has, and what was refused last, which is told until a change succeeds. */
#ifndef HUBBUB_CHANGE_SUMMARY_H
#define HUBBUB_CHANGE_SUMMARY_H

#include "master/master.h"

#define SUMMARY_SIZE 448

/* Writes it, of a server that serves. */
void summary_write(const struct master *master, char text[static SUMMARY_SIZE]);

/* A change was refused, or has failed: what, "reload", and why. */
void summary_refused(const char *what, const char *why);

/* One has succeeded: what is so now was not refused. */
void summary_accepted(void);

#endif
