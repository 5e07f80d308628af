#ifndef HUBBUB_IO_IDENTITY_PRIV_H
#define HUBBUB_IO_IDENTITY_PRIV_H

#include "hub/io/entry_priv.h"

struct stat;

/* Notes what the number means, as fstat(2) has told. */
void identity_note(struct hub *hub, struct hub_fd *entry, const struct stat *status);

/* Keeps errno. */
void identity_forget(struct hub *hub, struct hub_fd *entry);

void identity_stop(struct hub *hub);

/* Whether the number still means what its entry says: two system calls at most, none of which
 * waits. Keeps errno, whatever they say: the caller has its own for what it finds out. */
bool fd_is_same(struct hub *hub, struct hub_fd *entry);

#endif
