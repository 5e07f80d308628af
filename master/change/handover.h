/* The handover: the document that tells a new master, in an upgrade, which file descriptors survive
 * the exec and how the server runs. It is JSON in a memfd, whose fd is in the environment variable
 * HUBBUB_HANDOVER. */
#ifndef HUBBUB_CHANGE_HANDOVER_H
#define HUBBUB_CHANGE_HANDOVER_H

#include <stdbool.h>

struct master;

/* In the old master: writes the document for a new master that gets the fds channel and commit.
 * Returns the memfd, the caller's, or -1 with errno. */
int handover_write(const struct master *master, int channel, int commit);

/* In the child that is to become the new master: lets the file descriptors that the document names
 * survive the exec, and sets HUBBUB_HANDOVER. */
void handover_keep(const struct master *master, int document, int channel, int commit);

/* Whether this process was started as the new master of an upgrade. */
bool handover_is_there(void);

/* In the new master: takes everything over that the document names. Returns 0, or -1 after
 * logging. */
int handover_inherit(struct master *master);

#endif
