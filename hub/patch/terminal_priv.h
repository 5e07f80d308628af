#ifndef HUBBUB_PATCH_TERMINAL_PRIV_H
#define HUBBUB_PATCH_TERMINAL_PRIV_H

#include <stdbool.h>
#include <sys/uio.h>

/* Whether reading the terminal goes by its VMIN and VTIME (termios(3)), and not by what poll(2)
 * tells. False for what is no terminal. */
bool terminal_is_timed(int fd);

/* readv(2) of such a one, on a coroutine. */
ssize_t terminal_read(int fd, const struct iovec *parts, int count);

#endif
