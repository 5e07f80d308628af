/* Whether another process may share the open file behind a file descriptor: a child, or a process
 * that it was sent to. */
#ifndef HUBBUB_PATCH_GIVEN_PRIV_H
#define HUBBUB_PATCH_GIVEN_PRIV_H

#include <stdbool.h>

/* From this moment on every open file may be shared. Called before files are given away, and after
 * it; fork(2) does so by itself. A child of vfork(2) calls it for its parent, whose memory it
 * uses. */
void given_note(void);

/* How often given_note was called. */
unsigned given_count(void);

/* given_made: socket(2) has just made fd; count is what given_count said before that. given_forget:
 * fd is closed or duplicated, so nothing is known of it. */
void given_made(int fd, unsigned count);
void given_forget(int fd);

/* Whether the open file is known to belong to this process and to fd alone: socket(2) has made it
 * here, and given_note was not called since. Files that are given away otherwise than by libc's
 * fork, posix_spawn and, on a coroutine, sendmsg are not noticed. */
bool given_to_nobody(int fd);

#endif
