/* Receiving all that was asked for: MSG_WAITALL. */
#ifndef HUBBUB_PATCH_WHOLE_PRIV_H
#define HUBBUB_PATCH_WHOLE_PRIV_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether a receive with these flags is one of all: it is a stream's. */
bool whole_is_asked(int fd, int flags);

/* Receives it. Returns as recvmsg(2). */
ssize_t whole_receive(int fd, struct msghdr *message, int flags);

#endif
