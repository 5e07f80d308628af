/* What the application believes of its descriptors, and waiting with a socket's patience. */
#ifndef HUBBUB_PATCH_DESCRIPTOR_PRIV_H
#define HUBBUB_PATCH_DESCRIPTOR_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/interrupt_priv.h"

/* Whether the application has made fd non-blocking, whatever the kernel's flag says. */
bool descriptor_is_nonblocking(int fd);

/* Whether the kernel's flag is ours or the hub's, and not the application's. */
bool descriptor_is_hidden(int fd);

/* Before this thread's hub waits for a number: another thread may have closed it since it last
 * did. */
void descriptor_look(int fd);

/* A number that has just been made: whatever was known of it belongs to another descriptor. */
void descriptor_new(int fd);
void descriptor_range_new(unsigned first, unsigned last);

/* A number that means the same open file as another one. */
void descriptor_copy(int fd, int to);

/* Sets or clears the kernel's flag of all that is blocking to the application and that a new
 * program gets, which cannot know that the flag is not meant for it. It writes no memory: this may
 * be a child of vfork(2). Keeps errno. */
void descriptor_set_inherited(bool is_nonblocking);

/* One call's patience: what a socket's SO_RCVTIMEO or SO_SNDTIMEO allows, over all its waits. */
struct patience {
	int fd;
	short events; /* POLLIN or POLLOUT */
	bool is_begun;
	bool restarts;  /* though there is an end, which is no socket's: signal(7) */
	int64_t end;    /* HUB_FOREVER for none */
	unsigned tries; /* waits since anything went through */
	struct since since;
};

/* How much of it is left, in nanoseconds; HUB_FOREVER for no end. */
int64_t patience_left(struct patience *patience);

/* After EAGAIN: waits until it is worth trying again. Returns true, or false with errno: EAGAIN
 * (the application wants to be told, by flags or by the descriptor's own, or the time is up),
 * EBADF, EINTR, ECANCELED, ESHUTDOWN and others. */
bool patience_wait(struct patience *patience, int flags);

#endif
