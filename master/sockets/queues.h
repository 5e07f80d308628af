/* In whose queues clients wait: an epoll set of all listening TCP sockets, in which nobody waits.
 * While all queues are empty it costs a system call, however many they are; to ask each of 2000 for
 * its length took 3 % of a CPU. */
#ifndef HUBBUB_SOCKETS_QUEUES_H
#define HUBBUB_SOCKETS_QUEUES_H

#include "master/sockets/sockets.h"

/* Adds the sockets of a seat that has begun to listen; without memory for them, or beyond the
 * user's limit on what epoll watches, the whole set is given up, and each socket is asked. */
void queues_watch(struct sockets *sockets, unsigned index);

/* Removes the sockets of a seat, which are still open: the workers' duplicates would keep them in
 * the set. */
void queues_unwatch(const struct sockets *sockets, unsigned index);

#endif
