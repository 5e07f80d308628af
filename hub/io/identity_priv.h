/* Whether an fd still refers to the open file that its entry is about; identity.c says how. */
#ifndef HUBBUB_IO_IDENTITY_PRIV_H
#define HUBBUB_IO_IDENTITY_PRIV_H

#include "hub/io/entry_priv.h"

struct stat;

/* Records in the entry what the fd refers to, as fstat(2) has reported. */
void identity_note(struct hub *hub, struct hub_fd *entry, const struct stat *status);

/* Forgets what the entry is about. Keeps errno. */
void identity_forget(struct hub *hub, struct hub_fd *entry);

/* At the end of a hub, and in a forked child: closes the epoll set. */
void identity_stop(struct hub *hub);

/* Whether the fd still refers to the open file that its entry is about. Makes at most a few system
 * calls, none of which waits. Keeps errno. */
bool fd_is_same(struct hub *hub, struct hub_fd *entry);

#endif
