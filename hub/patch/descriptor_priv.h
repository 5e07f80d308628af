/* What the application believes of its file descriptors, and how long a call may wait for one: the
 * timeouts of sockets. */
#ifndef HUBBUB_PATCH_DESCRIPTOR_PRIV_H
#define HUBBUB_PATCH_DESCRIPTOR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/interrupt_priv.h"

/* Whether the application has made fd non-blocking: O_NONBLOCK that the hub has set does not
 * count. */
bool descriptor_is_nonblocking(int fd);

/* Whether the hub has set O_NONBLOCK of fd, so that the kernel's flag is not the application's. */
bool descriptor_is_hidden(int fd);

/* Called before this thread's hub waits for fd: tells the hub if another thread has closed fd since
 * the hub last waited for it. */
void descriptor_look(int fd);

/* fd is about to be closed, or has just been opened: forgets what was known of it. Coroutines of
 * this thread that wait for it get EBADF. descriptor_range_new does so from first to last, but for
 * the hub's own descriptors. */
void descriptor_new(int fd);
void descriptor_range_new(unsigned first, unsigned last);

/* to has just become a duplicate of fd, by dup(2) or its kin. Does nothing if to is below 0. */
void descriptor_copy(int fd, int to);

/* Sets or clears O_NONBLOCK of every fd that is blocking to the application and that a new program
 * inherits: the program cannot know that the flag is the hub's. Writes no memory, since this may be
 * a child of vfork(2). Keeps errno. */
void descriptor_set_inherited(bool is_nonblocking);

/* How long a call may wait: what the socket's SO_RCVTIMEO or SO_SNDTIMEO allows, over all waits of
 * the call. */
struct patience {
	int fd;
	short events;   /* POLLIN or POLLOUT */
	bool is_begun;  /* end is set */
	bool restarts;  /* SA_RESTART applies: end is not a socket's timeout, signal(7) */
	int64_t end;    /* by hub_now; HUB_FOREVER for none */
	unsigned tries; /* waits since bytes last went out */
	struct since since;
};

/* The nanoseconds left, 0 at least; HUB_FOREVER without a timeout. The first question begins the
 * time. */
int64_t patience_left(struct patience *patience);

/* After EAGAIN: waits until another attempt is worthwhile. Returns true, or false with errno:
 * EAGAIN (the call's flags or the application's O_NONBLOCK forbid waiting, or the time is up),
 * EBADF, EINTR, ECANCELED, ESHUTDOWN and others. */
bool patience_wait(struct patience *patience, int flags);

#endif
