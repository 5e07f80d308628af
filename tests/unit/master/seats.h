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

#endif
