/* Datagram sockets: UDP, and Unix. */
#ifndef HUBBUB_SIM_DATAGRAM_PRIV_H
#define HUBBUB_SIM_DATAGRAM_PRIV_H

#include <stdbool.h>

struct file;

/* NULL without memory. */
struct file *datagram_new(int family);

/* Connects two new sockets, as socketpair(2). */
void datagram_join(struct file *one, struct file *other);

#endif
