/* The entry of one fd: what a hub knows of the open file that the fd refers to. Only hub/io changes
 * entries; this header is what its files share. */
#ifndef HUBBUB_IO_ENTRY_PRIV_H
#define HUBBUB_IO_ENTRY_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/base/list.h"
#include "hub/base/loop.h"
#include "hub/record_priv.h"

struct hub_layer;

/* Names one stay of an open file in the hub: unique in its hub, and 0 while the fd is not in it. A
 * caller that compares it after a wait knows whether the entry is still about the same open
 * file. */
typedef uint64_t fd_generation;

/* The bits of exchange: what has gone over a descriptor. Receiving sets FD_HAS_COME and
 * FD_IS_ASKED; sending clears all but FD_KEPT_BY_SENDING; one instruction each. */
enum {
	FD_HAS_COME = 1,      /* bytes came since it entered the hub or since fd_begin_anew */
	FD_IS_ASKED = 2,      /* bytes came since bytes were last sent */
	FD_WAS_SEEN = 4,      /* fd_activity has reported FD_IS_ASKED of this request */
	FD_IS_BUSY = 8,       /* the service works for the peer (fd_set_busy) */
	FD_SENT_NOTHING = 16, /* since the last fd_activity */
	FD_IS_SETTLED = 32,   /* the service has dealt with all bytes that had come */
	FD_CAME_SINCE = 64,   /* bytes came since a wait to read last ended: see wait.c */
	FD_HAS_PART = 128,    /* a stream receives the rest of what it holds a part of */
	FD_KEPT_BY_SENDING = FD_HAS_COME | FD_IS_BUSY | FD_CAME_SINCE | FD_HAS_PART
};

/* The entry of one fd. The fields that receiving and waiting touch are in the first two cache
 * lines.
 *
 * - The read watcher is level-triggered, started at the first wait and left on; it stops when it
 *   fires while no coroutine waits. So a connection that alternates between receiving and waiting
 *   costs no epoll_ctl. The write watcher runs only while a coroutine waits to write.
 * - drained_for: the coroutine whose last receive took all bytes, so its next receive waits before
 *   it tries; the read watcher's event clears it. Only for stream sockets, where a short read shows
 *   that. Other coroutines try first: they may know by other means that bytes have come.
 * - input_has_ended: a receive returns the end of the stream when nothing is left to receive, and a
 *   wait to receive ends at once.
 * - owes_loss: the next receive that finds the end of the stream fails with the errno `lost`: the
 *   kernel has told it once, and would go on as if the peer had ended the stream.
 * - opening: changes at each close of the fd that the hub notices; hub_release leaves it. A caller
 *   that must close the fd in the end, or end it from outside, compares it to learn whether the fd
 *   is still the same.
 * - active_at, exchange: of the open file, whichever coroutine uses it, by whichever call of the
 *   hub. With a layer they count bytes on the wire. */
struct hub_fd {
	ev_io read; /* its data, which libev leaves to us: a struct traffic, or NULL */
	struct hub_waiter *readers;
	uint32_t opening;
	bool is_adopted : 1;      /* the hub has made it non-blocking, as far as it may */
	uint8_t lost : 7;         /* by which errno the kernel told that it is lost; 0: it is not */
	uint8_t exchange;         /* bits FD_HAS_COME to FD_HAS_PART */
	bool is_woken : 1;        /* a reader was woken, and has not run yet */
	bool is_stream : 1;       /* a stream socket */
	bool is_socket : 1;       /* of any kind */
	bool is_file : 1;         /* regular file or directory: always ready, epoll refuses it */
	bool input_has_ended : 1; /* hub_end_input */
	bool was_blocking : 1;    /* before the hub adopted it */
	bool is_known : 1;        /* device and inode are valid: see identity.c */
	bool is_member : 1;       /* in the epoll set `kinds`: see identity.c */
	bool lacks_nowait : 1;    /* has no call that does not wait: see nowait.c */
	bool is_in_set : 1;       /* an epoll set of the application's has it */
	bool owes_loss : 1;       /* that was met by a call that has returned a part */
	bool is_set_to_read : 1;  /* the loop's epoll set has it, for EPOLLIN alone: see libev.c */
	uint8_t queue : 4;        /* which of the sweep's queues has it, from 1 on; 0: none */
	struct hub_layer *layer;  /* owned; NULL for none */
	fd_generation generation;
	const struct hub_coroutine *drained_for; /* FD_ANYBODY: the first to receive */
	struct hub_waiter *writers;
	int64_t active_at; /* the hub's clock when bytes last came or went, or it entered */
	struct list sweep; /* in the queue table.levels[queue - 1] */
	int64_t due;       /* when the sweep looks at it */
	ev_io write;       /* its data, which libev leaves to us: busy_since of activity.c */
	dev_t device;
	ino_t inode;
};

#define FD_ANYBODY ((const struct hub_coroutine *)1)

/* The entry of an fd below the table's size. */
static inline struct hub_fd *
fd_entry(const struct hub *hub, int fd)
{
	return &hub->fds.chunks[(unsigned)fd >> FD_CHUNK_BITS]
			.entries[(unsigned)fd & (FD_CHUNK - 1)];
}

/* Whether the entry is in one of the sweep's queues. */
static inline bool
sweep_has(const struct hub_fd *entry)
{
	return entry->sweep.next != NULL && !list_is_empty(&entry->sweep);
}

/* Whether it is in the first of them. */
static inline bool
sweep_is_fresh(const struct hub_fd *entry)
{
	return entry->queue == 1;
}

/* Removes the entry from the sweep's queue: see sweep.c. */
static inline void
sweep_leave(struct hub_fd *entry)
{
	entry->queue = 0;
	if (entry->sweep.next != NULL)
		list_remove(&entry->sweep);
}

#endif
