/* Where a hub keeps what it knows of descriptors: one entry per number, in chunks. An entry stays
 * readable as long as the hub lives, whatever becomes of its descriptor; the memory of chunks that
 * nobody has needed for a minute goes back to the kernel, and reads as zeros. */
#ifndef HUBBUB_IO_TABLE_PRIV_H
#define HUBBUB_IO_TABLE_PRIV_H

#include <stdint.h>

struct hub;
struct hub_fd;

void fd_table_start(struct hub *hub);

/* Nothing is in it any more (fd_forget_all). No entry may be looked at afterwards. */
void fd_table_stop(struct hub *hub);

/* The entry of a number that has none yet, or whose descriptor has left; all zero but for what is
 * left of that. NULL with errno ENOMEM. */
struct hub_fd *fd_table_entry(struct hub *hub, int fd);

/* A descriptor enters or leaves its entry, which gets a new generation, or 0. */
void fd_table_enter(struct hub *hub, struct hub_fd *entry);
void fd_table_leave(struct hub *hub, struct hub_fd *entry);

/* The number was closed, or means another open file by now. */
void fd_table_reopen(struct hub *hub, struct hub_fd *entry);

/* Gives back the memory of chunks that have been idle for so many nanoseconds. To be called every
 * few seconds as long as table.idle is not 0, and it may be called at any time outside a look-up:
 * it looks at no more than a few hundred chunks, and takes microseconds where there is nothing to
 * give back. */
void fd_table_trim(struct hub *hub, int64_t kept);

#endif
