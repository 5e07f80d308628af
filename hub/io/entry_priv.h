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

/* One number. What receiving and waiting touch is in the first two cache lines.
 *
 * - The read watcher is level-triggered, started at the first wait and left on; it stops when it
 *   fires and nobody waits. So a connection that alternates between receiving and waiting costs no
 *   epoll_ctl. The write watcher runs only while somebody waits to write.
 * - drained_for: the coroutine whose last receive took all there was, so that its next one waits
 *   before it tries; the read watcher's event clears it. Holds for stream sockets only, where a
 *   short read says so. Others try first: they may know the number from elsewhere.
 * - input_has_ended: whoever receives is told of the end of the stream when nothing is left to
 *   receive.
 * - opening: another one after each close of the number, as far as the hub knows of it; a release
 *   leaves it. So whoever is to close the number, or to end it from outside, knows whether it
 *   still is what it was. */
struct hub_fd {
	ev_io read;
	struct hub_waiter *readers;
	bool is_adopted; /* the hub has seen to it that it does not block */
	bool is_woken;   /* a reader was woken and has not run yet: the event is being dealt with */
	bool is_fresh;   /* its waits are looked at next: see sweep.c */
	bool is_stream;  /* a stream socket */
	bool is_socket;
	bool is_file; /* regular: always ready, epoll refuses it */
	bool has_received;
	bool input_has_ended;    /* hub_end_input */
	struct hub_layer *layer; /* owned; NULL for none */
	fd_generation generation;
	const struct hub_coroutine *drained_for; /* FD_ANYBODY: whoever is first */
	struct hub_waiter *writers;
	struct list sweep; /* in one of the table's queues */
	int64_t due;       /* when the sweep looks at it */
	uint32_t opening;
	uint8_t level;         /* of the queue */
	bool was_blocking;     /* before the hub adopted it */
	bool is_known : 1;     /* device and inode are noted: see identity.c */
	bool is_member : 1;    /* it takes the set of kinds to know it again */
	bool lacks_nowait : 1; /* see nowait.c */
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
