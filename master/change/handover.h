/* The handover: the document (JSON in a memfd, whose number is in HUBBUB_HANDOVER) of what a new
 * master gets in an upgrade: descriptors, which survive the exec, and how the server runs. */
#ifndef HUBBUB_CHANGE_HANDOVER_H
#define HUBBUB_CHANGE_HANDOVER_H

#include <stdbool.h>

struct master;

/* In the old master: writes one, for a new master that gets channel and commit. Returns its
 * descriptor, or -1. */
int handover_write(const struct master *master, int channel, int commit);

/* In the child that is to become the new master: lets what the document names through the exec. */
void handover_keep(const struct master *master, int document, int channel, int commit);

/* In a new master: whether there is one to take over from. */
bool handover_is_there(void);

/* Takes sockets, counters and all the rest from the document. Returns 0, or -1 after logging. */
int handover_inherit(struct master *master);

#endif
