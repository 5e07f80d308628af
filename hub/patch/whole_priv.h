/* Receiving all bytes that were asked for: MSG_WAITALL. */
#ifndef HUBBUB_PATCH_WHOLE_PRIV_H
#define HUBBUB_PATCH_WHOLE_PRIV_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether a receive with these flags waits for all bytes: MSG_WAITALL, on a stream that is blocking
 * to the application. */
bool whole_is_asked(int fd, int flags);

/* Receives until the message's parts are full, or to the end of input, or an error. Returns as
 * recvmsg(2). */
ssize_t whole_receive(int fd, struct msghdr *message, int flags);

#endif
