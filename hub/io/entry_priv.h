/* What a hub knows of one number. Whoever changes an entry is a part of hub/io: this is what they
 * have in common. */
#ifndef HUBBUB_IO_ENTRY_PRIV_H
#define HUBBUB_IO_ENTRY_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/list.h"
#include "hub/base/loop.h"
#include "hub/record_priv.h"

struct hub_layer;

/* Unique in its hub, and 0 while no descriptor of the number is in the hub: so whoever has waited
 * knows whether the entry is still about the same. */
typedef uint64_t fd_generation;

/* What has gone over a descriptor, as bits. Receiving sets FD_HAS_COME and FD_IS_ASKED, sending
 * clears all but the first, FD_IS_BUSY and FD_CAME_SINCE, by one instruction each. */
enum {
	FD_HAS_COME = 1,      /* anything, since it entered or since fd_begin_anew */
	FD_IS_ASKED = 2,      /* something has come since something was last sent */
	FD_WAS_SEEN = 4,      /* fd_activity has told of FD_IS_ASKED, of the same request */
	FD_IS_BUSY = 8,       /* the service has said so */
	FD_SENT_NOTHING = 16, /* since fd_activity last told */
	FD_IS_SETTLED = 32,   /* the service has said that what had come is dealt with */
	FD_CAME_SINCE = 64    /* anything, since a wait to read has last ended: see wait.c */
};

/* One number. What receiving and waiting touch is in the first two cache lines.
 *
 * - The read watcher is level-triggered, started at the first wait and left on; it stops when it
 *   fires and nobody waits. So a connection that alternates between receiving and waiting costs no
 *   epoll_ctl. The write watcher runs only while somebody waits to write.
 * - drained_for: the coroutine whose last receive took all there was, so that its next one waits
 *   before it tries; the read watcher's event clears it. Holds for stream sockets only, where a
 *   short read says so. Others try first: they may know the number from elsewhere.
 * - input_has_ended: whoever receives is told of the end of the stream when nothing is left to
 *   receive, and whoever waits to receive, that it may.
 * - opening: another one after each close of the number, as far as the hub knows of it; a release
 *   leaves it. So whoever is to close the number, or to end it from outside, knows whether it
 *   still is what it was.
 * - active_at, exchange: of the descriptor, whichever coroutine uses it, by whichever call of the
 *   hub. With a layer, bytes of the wire. */
struct hub_fd {
	ev_io read;
	struct hub_waiter *readers;
	uint32_t opening;
	bool is_adopted;          /* the hub has seen to it that it does not block */
	uint8_t exchange;         /* FD_HAS_COME and the others */
	bool is_woken : 1;        /* a reader was woken and has not run yet */
	bool is_fresh : 1;        /* its waits are looked at next: see sweep.c */
	bool is_stream : 1;       /* a stream socket */
	bool is_socket : 1;       /* of any kind */
	bool is_file : 1;         /* regular: always ready, epoll refuses it */
	bool input_has_ended : 1; /* hub_end_input */
	bool was_blocking : 1;    /* before the hub adopted it */
	bool is_known : 1;        /* device and inode are noted: see identity.c */
	bool is_member : 1;       /* it takes the set of kinds to know it again */
	bool lacks_nowait : 1;    /* see nowait.c */
	bool is_in_set : 1;       /* an epoll set of the application's has it */
	uint8_t level : 4;        /* of the sweep's queue */
	struct hub_layer *layer;  /* owned; NULL for none */
	fd_generation generation;
	const struct hub_coroutine *drained_for; /* FD_ANYBODY: whoever is first */
	struct hub_waiter *writers;
	int64_t active_at; /* the hub's clock when bytes last came or went, or it entered */
	struct list sweep; /* in one of the table's queues */
	int64_t due;       /* when the sweep looks at it */
	ev_io write;
	dev_t device;
	ino_t inode;
};

#define FD_ANYBODY ((const struct hub_coroutine *)1)

/* The entry of a number below the table's size. */
static inline struct hub_fd *
fd_entry(const struct hub *hub, int fd)
{
	return &hub->fds.chunks[(unsigned)fd >> FD_CHUNK_BITS]
			.entries[(unsigned)fd & (FD_CHUNK - 1)];
}

/* The sweep looks at it no more: see sweep.c. */
static inline void
sweep_leave(struct hub_fd *entry)
{
	entry->is_fresh = false;
	if (entry->sweep.next != NULL)
		list_remove(&entry->sweep);
}

#endif
