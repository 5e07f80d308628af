/* Locks by name: each is one process's, in its network namespace, and goes with its descriptor.
 *
 * A lock is an abstract Unix socket that listens, so that the kernel tells whoever connects who
 * made it. Anybody may take such a name, and so a lock counts only if it is this user's or root's.
 * A stranger that has the name is passed by: the lock is a second name then, which nobody can
 * guess, and which is found in /proc. */
#ifndef HUBBUB_SOCKETS_LOCK_H
#define HUBBUB_SOCKETS_LOCK_H

#include <stdint.h>
#include <sys/socket.h>

#define LOCK_NAME_SIZE 95 /* what a lock may be called, with its end */

/* Takes the lock of that name. Returns its descriptor, or -1 with errno: EADDRINUSE if another
 * process has it. *other tells who that is, or, if the lock was taken, which stranger was passed
 * by; its pid is 0 if there is none, or none that can be seen. May take some milliseconds. */
int lock_take(const char *name, struct ucred *other);

/* A number that stands for a text, the same in every process and release. */
uint64_t lock_number(const char *text);

#endif
