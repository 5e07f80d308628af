/* The summary: a line about the server for the service manager's status, with addresses, shape and
 * connections, and with the last refused change until a change succeeds. */
#ifndef HUBBUB_CHANGE_SUMMARY_H
#define HUBBUB_CHANGE_SUMMARY_H

#include "master/master.h"

#define SUMMARY_SIZE 448

/* Writes the line, for a server that serves. */
void summary_write(const struct master *master, char text[static SUMMARY_SIZE]);

/* Notes that a change was refused or has failed: what, such as "reload", and why. Both are
 * copied. */
void summary_refused(const char *what, const char *why);

/* Notes that a change has succeeded: forgets the last refusal. */
void summary_accepted(void);

#endif
