/* Locks by name. A lock belongs to one process in its network namespace, and is released when its
 * file descriptor is closed everywhere, at the latest by the end of the process.
 *
 * A lock is a listening abstract Unix socket: the kernel tells each process that connects who made
 * it (SO_PEERCRED). Any user can bind such a name, so a lock counts only if its holder is this user
 * or root. If a stranger holds the name, the lock is a second name instead, which nobody can guess,
 * and which other processes find in /proc. */
#ifndef HUBBUB_SOCKETS_LOCK_H
#define HUBBUB_SOCKETS_LOCK_H

#include <sys/socket.h>

#define LOCK_NAME_SIZE 95 /* bytes of a lock's name, with its terminating NUL */

/* Takes the lock of that name. Returns its file descriptor, which the caller closes, or -1 with
 * errno: EADDRINUSE if another process holds the lock, ENAMETOOLONG, or socket(2)'s. *other gets
 * the holder if the lock is held, or the stranger that holds the well-known name if it was taken in
 * spite of it; its pid is 0 if there is no such process, or it is not visible. May block for 50
 * milliseconds. */
int lock_take(const char *name, struct ucred *other);

#endif
