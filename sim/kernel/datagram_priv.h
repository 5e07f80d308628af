/* Datagram sockets: UDP, and Unix; and pairs of sockets for packets. */
#ifndef HUBBUB_SIM_DATAGRAM_PRIV_H
#define HUBBUB_SIM_DATAGRAM_PRIV_H

#include <stdbool.h>

struct file;

/* NULL without memory. is_packet: of SOCK_SEQPACKET, for pairs only. */
struct file *datagram_new(int family, bool is_packet);

/* Connects two new sockets, as socketpair(2). */
void datagram_join(struct file *one, struct file *other);

#endif
