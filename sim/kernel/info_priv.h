/* What the kernel tells of a socket: TCP_INFO, and the bytes in its queues. */
#ifndef HUBBUB_SIM_INFO_PRIV_H
#define HUBBUB_SIM_INFO_PRIV_H

#include <sys/socket.h>

struct file;

/* SO_PROTOCOL. */
int info_protocol(const struct file *file);

/* TCP_INFO: the state, the ages of the last bytes, and of a listener its queue and its backlog. No
 * more than *length bytes, which becomes how many they are. -1 with errno EOPNOTSUPP if it is no
 * TCP socket. */
int info_read(struct file *file, void *value, socklen_t *length);

#endif
