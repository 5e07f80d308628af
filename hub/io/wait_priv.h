/* Waiting for fds, and letting other coroutines run in between. */
#ifndef HUBBUB_IO_WAIT_PRIV_H
#define HUBBUB_IO_WAIT_PRIV_H

#include "hub/base/inside.h"
#include "hub/io/fd_priv.h"

/* Lets other coroutines run, after hub_enter. Returns false with errno: EBADF (also: the fd was
 * closed meanwhile), ENOMEM, or an errno of hub_enter. */
bool fd_let_others_run(struct hub_fd *entry);

/* The same, if the loop is due. */
static inline __attribute__((always_inline)) bool
fd_take_turns(struct hub_fd *entry)
{
	return !hub_tick(hub_this) || fd_let_others_run(entry);
}

/* Waits until the fd may be read or written, after hub_enter and a system call that failed with
 * EAGAIN. A wake may be spurious: try again and wait again. Returns 0, or -1 with errno EBADF
 * (closed or released meanwhile), ECANCELED (killed), ETIMEDOUT, EDEADLK, ENOMEM and ENOSPC (the
 * kernel watches no more), EINVAL and ELOOP (the kernel cannot watch such a file; EINVAL also: the
 * input has ended). */
int fd_wait_read(struct hub_fd *entry, const char *what) HUB_INSIDE(fd_wait_read);
int fd_wait_write(struct hub_fd *entry, const char *what) HUB_INSIDE(fd_wait_write);

/* fd_wait_read for a drained stream, whose receive has not been tried. Also returns 0 if the input
 * has ended, or if the fd turns out to have been reused, perhaps before this call, since the sweep
 * has not confirmed the wait; with a layer that is EBADF. */
int fd_wait_drained(struct hub_fd *entry, const char *what);

/* One fd among the things that a coroutine waits for, from the first wait of a call to the last; it
 * begins with no hold. */
struct fd_interest {
	struct fd_hold hold; /* the open file when the fd was noted */
	struct hub_waiter reader;
	struct hub_waiter writer;
	struct hub_waiter other; /* waits for signs: signs_priv.h */
};

/* Records which open file the fd refers to, unless that was recorded before. Returns 0, or an
 * errno: ENOMEM, or EBADF, also if the fd refers to another file than recorded. */
int fd_interest_note(struct fd_interest *interest, struct hub *hub, int fd);

/* fd_interest_note, and puts self into the fd's queues for events of poll(2), of which poll(2) has
 * just reported none. The caller then calls hub_suspend, and fd_interest_leave in any case. Returns
 * as fd_interest_note or signs_enter; after an errno self is in no queue. */
int fd_interest_enter(
	struct fd_interest *interest, int fd, short events, struct hub_coroutine *self);

/* Takes the coroutine out of the fd's queues. Returns whether the fd ended the wait, by an event or
 * because it was released. */
bool fd_interest_leave(struct fd_interest *interest);

/* Whether the fd was released since it was noted, whatever ended the wait. */
static inline bool
fd_interest_is_over(const struct fd_interest *interest)
{
	return interest->hold.entry != NULL && !fd_is_held(&interest->hold);
}

/* Asks poll(2). Returns those of events that are ready, all of them after a hang-up or an error; if
 * events is 0, those of POLLHUP and POLLERR that are; or -1 with errno EBADF. */
int fd_poll_now(int fd, short events);

#endif
