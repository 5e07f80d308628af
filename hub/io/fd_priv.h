/* What a hub knows of descriptors: one entry per number, made at the first use and kept. */
#ifndef HUBBUB_IO_FD_PRIV_H
#define HUBBUB_IO_FD_PRIV_H

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hub/io/fd.h"
#include "hub/io/layer_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"

/* Which opening of which number: no other one of the hub ever has the same, and 0 is none. */
typedef uint64_t fd_generation;

/* One number.
 *
 * - The read watcher is level-triggered, started at the first wait and left on; it stops when it
 *   fires and nobody waits. So a connection that alternates between receiving and waiting costs no
 *   epoll_ctl. The write watcher runs only while somebody waits to write.
 * - is_drained: the last receive took all there was, so the next one waits before it tries; the
 *   read watcher's event clears it. Holds for stream sockets only, where a short read says so.
 * - input_has_ended: whoever receives is told of the end of the stream when nothing is left to
 *   receive.
 * - generation: another one after each release, so that who has waited knows whether fd still is
 *   what it was.
 * - closings: how often the number was closed, as far as the hub knows; a release leaves it open.
 *   So who is to close it, or end it from outside, knows whether it still is what he was given. */
struct hub_fd {
	ev_io read;
	ev_io write;
	struct hub_waiter *readers;
	struct hub_waiter *writers;
	struct hub_layer *layer; /* owned; NULL for none */
	int fd;
	fd_generation generation;
	uint64_t closings;
	bool is_open;      /* the hub watches it */
	bool is_adopted;   /* and has seen to it that it does not block */
	bool was_blocking; /* before */
	bool is_stream;    /* a stream socket */
	bool is_socket;
	bool is_file; /* regular: always ready, epoll refuses it */
	bool is_drained;
	bool has_received;
	bool input_has_ended; /* hub_end_input */
	bool is_woken; /* a reader was woken and has not run yet: the event is being dealt with */
};

/* Grows on demand: a limit of a billion descriptors costs nothing. */
struct fd_table {
	struct hub_fd **entries;
	int size;
};

struct fd_table *fd_table_new(void);

/* Stops every watcher; descriptors stay open. */
void fd_table_free(struct fd_table *table);

/* Enters a number that is new to the hub, with its flags as they are. NULL with errno EBADF, ENOMEM. */
struct hub_fd *fd_enter_watched(struct hub *hub, int fd);

/* Enters a number that the hub has not adopted, and makes it non-blocking. NULL with errno EBADF, ENOMEM. */
struct hub_fd *fd_enter(struct hub *hub, int fd);

/* The entry of a number, which is only waited for; one that is new to the hub enters now, with its flags as they are.
 * NULL with errno EBADF, ENOMEM. */
static inline struct hub_fd *
fd_lookup_watched(struct hub *hub, int fd)
{
	const struct fd_table *table = hub->fds;

	if (__builtin_expect(fd >= 0 && fd < table->size && table->entries[fd] != NULL &&
				     table->entries[fd]->is_open,
		    1))
		return table->entries[fd];
	return fd_enter_watched(hub, fd);
}

/* The entry of a number that is read or written and must not block; one that is new to the hub enters now. NULL with
 * errno EBADF, ENOMEM. */
static inline struct hub_fd *
fd_lookup(struct hub *hub, int fd)
{
	const struct fd_table *table = hub->fds;

	if (__builtin_expect(fd >= 0 && fd < table->size && table->entries[fd] != NULL &&
				     table->entries[fd]->is_adopted,
		    1))
		return table->entries[fd];
	return fd_enter(hub, fd);
}

/* Enters a descriptor that has just been made, non-blocking: forgets what the number was before.
 * NULL with errno ENOMEM. */
struct hub_fd *fd_enter_new(struct hub *hub, int fd, bool is_stream);

/* A descriptor that is kept across switches, after which its number may be another's. */
struct fd_hold {
	struct hub_fd *entry; /* NULL for none */
	fd_generation generation;
};

static inline struct fd_hold
fd_hold(struct hub_fd *entry)
{
	return (struct fd_hold){entry, entry != NULL ? entry->generation : 0};
}

/* Whether it is still open, and not only its number. */
static inline bool
fd_is_held(const struct fd_hold *hold)
{
	return hold->entry != NULL && hold->entry->generation == hold->generation;
}

/* A number that is to be closed in the end, though others may do so before. */
struct fd_opening {
	struct hub_fd *entry; /* NULL: it was none, or no hub runs here */
	uint64_t closings;
};

/* What the number is now; one that is new to the hub enters. */
struct fd_opening fd_opening(int fd);

/* Whether it was closed since; its number may be another's. In the same hub. */
static inline bool
fd_was_closed(const struct fd_opening *opening)
{
	return opening->entry != NULL && opening->entry->closings != opening->closings;
}

/* Lets others run, if it is their turn. The caller has entered (hub_enter). Returns false with errno, ECANCELED if the
 * descriptor was closed meanwhile, or what hub_enter says. */
static inline __attribute__((always_inline)) bool
fd_take_turns(const struct hub_fd *entry)
{
	fd_generation generation;

	if (!hub_tick(hub_this))
		return true;
	generation = entry->generation;
	hub_pause(hub_this);
	if (hub_enter() == NULL)
		return false;
	errno = ECANCELED;
	return entry->generation == generation;
}

/* Counts bytes of the hub; other processes read the counter, nobody else writes it. */
static inline void
fd_count_bytes(uint64_t *counter, ssize_t bytes)
{
	__atomic_store_n(counter, *counter + (uint64_t)bytes, __ATOMIC_RELAXED);
}

/* Waits until fd may be read or written; the caller has entered (hub_enter). is_spurious wakes are
 * possible: try again and wait again.
 * Returns 0, or -1 with errno ECANCELED (killed, or released meanwhile), ETIMEDOUT, EDEADLK. */
int fd_wait_read(struct hub_fd *entry, const char *what);
int fd_wait_write(struct hub_fd *entry, const char *what);

/* One descriptor among the things that a coroutine waits for. */
struct fd_interest {
	struct hub_fd *entry; /* NULL for none */
	fd_generation generation;
	struct hub_waiter reader;
	struct hub_waiter writer;
};

/* Remembers what a number is. Returns its entry; NULL with errno EBADF, ENOMEM. */
static inline struct hub_fd *
fd_interest_note(struct fd_interest *interest, struct hub *hub, int fd)
{
	interest->entry = fd_lookup_watched(hub, fd);
	if (interest->entry != NULL)
		interest->generation = interest->entry->generation;
	return interest->entry;
}

/* Enters self for events, which are POLLIN, POLLOUT or both; it then calls hub_suspend, and
 * fd_interest_leave in any case. Returns 0, or an errno: EBADF, ENOMEM; then it is not entered. */
int fd_interest_enter(
	struct fd_interest *interest, int fd, short events, struct hub_coroutine *self);

/* Returns whether it was the descriptor that was woken, or released. */
bool fd_interest_leave(struct fd_interest *interest);

/* Whether the descriptor was released since it was noted or entered, whoever was woken. */
static inline bool
fd_interest_is_over(const struct fd_interest *interest)
{
	return interest->entry != NULL && interest->entry->generation != interest->generation;
}

/* Whether the number is one that somebody waits to receive from, and whether anything ever came; and whether somebody
 * waits for it to take more. False in each for a number that the hub does not know. */
struct fd_activity {
	bool is_receiving;
	bool is_sending;
	bool has_received;
};
struct fd_activity fd_activity(const struct hub *hub, int fd);

/* Whether a number has a layer that something can be received from though the kernel knows nothing of it. */
bool fd_has_input(int fd);

/* The layer of a number; NULL if it has none, or the hub does not know it. */
const struct hub_layer *fd_layer(int fd);

/* Which of events are ready, with hang-ups and errors as all of them; or -1 with errno EBADF. */
int fd_poll_now(int fd, short events);

#endif
