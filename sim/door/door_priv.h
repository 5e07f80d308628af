/* What the files of the door share. Nothing here switches. */
#ifndef HUBBUB_SIM_DOOR_PRIV_H
#define HUBBUB_SIM_DOOR_PRIV_H

#include <stdbool.h>
#include <sys/socket.h>

#include "sim/kernel/errnos_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/world/world_priv.h"

struct file;

/* A call takes at most so many nanoseconds. */
#define DOOR_CALL_TAKES 3000

/* A call begins: another hub may go on first, and a little time passes. */
static inline void
door_begin(void)
{
	fiber_preemption_point();
	world_tick(DOOR_CALL_TAKES);
}

/* A call begins that may be interrupted, or find a descriptor not ready. Returns the file, or NULL
 * with errno. */
struct file *door_enter(int fd);

/* Draws whether a rare errno is what the call on the file meets. */
bool door_refuses(enum errnos_call call, struct file *file);

/* Trouble with a call on a file: whether it fails at once, with errno. A connection that is lost
 * lets the call go on, which finds that out. */
static inline bool
door_fails(enum errnos_call call, struct file *file)
{
	return world_options()->refused != 0 && door_refuses(call, file);
}

/* Trouble with a call that makes a descriptor. Returns 0 or an errno. */
int door_refuse_to_make(void);

/* Gives the file, of which the caller has the reference, a number; NULL: there was no memory. -1
 * with errno; then the file is gone. */
int door_open(struct file *file, bool is_cloexec);

/* ---- calls that the hub does not make, but programs do (before.c) ---- */

int sim_socketpair(int domain, int type, int fds[2]);

/* getsockname(2), or getpeername(2). */
int sim_getname(int fd, bool is_peer, struct sockaddr *address, socklen_t *length);

#endif
