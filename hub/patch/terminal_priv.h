/* Terminals that are read by the character, not by the line: by VMIN and VTIME of termios(3). */
#ifndef HUBBUB_PATCH_TERMINAL_PRIV_H
#define HUBBUB_PATCH_TERMINAL_PRIV_H

#include <stdbool.h>
#include <sys/uio.h>

/* Whether VMIN and VTIME say when a read of the terminal returns, and poll(2) does not. False if fd
 * is no terminal. */
bool terminal_is_timed(int fd);

/* readv(2) of such a terminal, on a coroutine. */
ssize_t terminal_read(int fd, const struct iovec *parts, int count);

#endif
