/* Where a hub keeps what it knows of descriptors: one entry per number, in chunks. An entry stays
 * readable as long as the hub lives, whatever becomes of its descriptor; the memory of chunks that
 * nobody has needed for a minute goes back to the kernel, and reads as zeros. */
#ifndef HUBBUB_IO_TABLE_PRIV_H
#define HUBBUB_IO_TABLE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/list.h"
#include "hub/base/loop.h"

struct hub;
struct hub_fd;

#define FD_CHUNK_BITS 6 /* three pages: one descriptor that stays keeps no more */
#define FD_CHUNK (1 << FD_CHUNK_BITS)

/* How often a wait that lasts is looked at: after 50 ms, then twice as long each time, up to 13
 * s. */
#define SWEEP_LEVELS 9

struct fd_chunk {
	struct hub_fd *entries; /* FD_CHUNK of them; those of a chunk without memory are all zero */
	int64_t idle_since;     /* when its last descriptor left */
	unsigned open;
	bool has_memory;
};

/* Grows on demand: a limit of a billion descriptors costs nothing. */
struct fd_table {
	struct fd_chunk *chunks;
	unsigned size;        /* numbers that have a chunk */
	unsigned idle;        /* chunks that have memory and no descriptor */
	unsigned trimmed;     /* the chunk that the next trim begins with */
	uint64_t generations; /* given out */
	uint32_t openings;    /* likewise */
	int kinds;            /* see identity.c; -1 for none yet */

	/* See sweep.c. */
	struct list levels[SWEEP_LEVELS];
	ev_timer sweep;
};

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
