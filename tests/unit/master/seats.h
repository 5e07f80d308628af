/* Seats that tests open. */
#ifndef HUBBUB_TESTS_SEATS_H
#define HUBBUB_TESTS_SEATS_H

#include "master/sockets/sockets.h"

/* What a text of one address stands for. */
struct address seats_address(const char *text);

/* Connects, and hangs up. Returns what connect(2) did. */
int seats_connect(const struct address *address);

/* Opens so many seats on a free port of loopback. */
void seats_open(struct sockets *sockets, unsigned seats);

/* Of sockets with one address: that, with its port; the socket of a seat; the one that all seats
 * share, or -1. */
const struct address *seats_own_address(const struct sockets *sockets);
int seats_socket(const struct sockets *sockets, unsigned seat);
int seats_shared_socket(const struct sockets *sockets);

/* The seats that listen, in the order of the kernel's group: "0 3 2". Static until the next
 * call. */
const char *seats_order(const struct sockets *sockets);

#endif
