/* Waiting for descriptors, and letting others run meanwhile. */
#ifndef HUBBUB_IO_WAIT_PRIV_H
#define HUBBUB_IO_WAIT_PRIV_H

#include "hub/base/inside.h"
#include "hub/io/fd_priv.h"

/* Lets others run. The caller has entered (hub_enter). Returns false with errno, EBADF (also:
 * it was closed meanwhile) or ENOMEM, or what hub_enter says. */
bool fd_let_others_run(struct hub_fd *entry);

/* The same, if it is their turn. */
static inline __attribute__((always_inline)) bool
fd_take_turns(struct hub_fd *entry)
{
	return !hub_tick(hub_this) || fd_let_others_run(entry);
}

/* Waits until fd may be read or written; the caller has entered (hub_enter), and been told EAGAIN.
 * Spurious wakes are possible: try again and wait again. Returns 0, or -1 with errno EBADF (closed
 * or released meanwhile), ECANCELED (killed), ETIMEDOUT, EDEADLK, ENOMEM
 * and ENOSPC (the kernel watches no more), EINVAL and ELOOP (it watches no such thing; its input
 * has ended). */
int fd_wait_read(struct hub_fd *entry, const char *what) HUB_INSIDE(fd_wait_read);
int fd_wait_write(struct hub_fd *entry, const char *what) HUB_INSIDE(fd_wait_write);

/* The same for a stream that is drained, without having tried: if it turns out that the number was
 * opened anew, perhaps before this was called, because the sweep has not confirmed the wait, it
 * returns 0, unless there was a layer; and also if the input has ended. */
int fd_wait_drained(struct hub_fd *entry, const char *what);

/* One descriptor among the things that a coroutine waits for, from the first wait of a call to the
 * last: it begins with nothing held. */
struct fd_interest {
	struct fd_hold hold; /* what the number was when it was noted */
	struct hub_waiter reader;
	struct hub_waiter writer;
	struct hub_waiter other; /* for signs: signs_priv.h */
};

/* Notes what a number is, unless it was noted before. Returns 0, or an errno: EBADF, ENOMEM; EBADF
 * also if it means something else than it did. */
int fd_interest_note(struct fd_interest *interest, struct hub *hub, int fd);

/* Notes the number and enters self for events of poll(2), which has just said that there are none;
 * it then calls hub_suspend, and fd_interest_leave in any case. Returns as fd_interest_note, or as
 * signs_enter; then it is not entered. */
int fd_interest_enter(
	struct fd_interest *interest, int fd, short events, struct hub_coroutine *self);

/* Returns whether it was the descriptor that was woken, or released. */
bool fd_interest_leave(struct fd_interest *interest);

/* Whether the descriptor was released since it was noted, whoever was woken. */
static inline bool
fd_interest_is_over(const struct fd_interest *interest)
{
	return interest->hold.entry != NULL && !fd_is_held(&interest->hold);
}

/* Which of events are ready, with hang-ups and errors as all of them; if there are none, which of
 * POLLHUP and POLLERR are; or -1 with errno EBADF. */
int fd_poll_now(int fd, short events);

#endif
