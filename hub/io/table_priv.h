/* The table of a hub's fds: one entry per fd, in chunks. An entry stays readable as long as the hub
 * lives, even after its fd is closed. The memory of chunks that had no open fd for a minute is
 * given back to the kernel, and reads as zeros. */
#ifndef HUBBUB_IO_TABLE_PRIV_H
#define HUBBUB_IO_TABLE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

struct hub;
struct hub_fd;

void fd_table_start(struct hub *hub);

/* Frees the table, which must be empty (fd_forget_all). No entry may be used afterwards. */
void fd_table_stop(struct hub *hub);

/* The entry of an fd that has none yet, or whose file has left: all zero, except for fields that
 * the last file left there. NULL with errno ENOMEM. */
struct hub_fd *fd_table_entry(struct hub *hub, int fd);

/* A file enters or leaves its entry, which gets a new generation, or 0. */
void fd_table_enter(struct hub *hub, struct hub_fd *entry);
void fd_table_leave(struct hub *hub, struct hub_fd *entry);

/* Whether the entry is as a file leaves it: no coroutine waits for it, nothing watches it, and it
 * owns nothing. */
bool fd_table_has_left(const struct hub *hub, const struct hub_fd *entry);

/* The fd was closed, or refers to another open file: gives the entry a new opening. */
void fd_table_reopen(struct hub *hub, struct hub_fd *entry);

/* Gives back the memory of chunks that have been idle for `kept` nanoseconds. Call it every few
 * seconds as long as table.idle is not 0, at any time outside a look-up. It looks at a few hundred
 * chunks at most, and takes microseconds if there is nothing to give back. */
void fd_table_trim(struct hub *hub, int64_t kept);

#endif
