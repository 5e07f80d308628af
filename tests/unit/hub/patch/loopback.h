/* Listeners on loopback and their clients, by the patched calls of sockets. */
#ifndef HUBBUB_TESTS_LOOPBACK_H
#define HUBBUB_TESTS_LOOPBACK_H

/* Listens on a free port. Returns the socket, which the caller closes. */
int loopback_listen(void);

/* Connects to that listener. Returns the socket, or -1. */
int loopback_connect(int listener);

/* A coroutine: accepts one connection of the listener at that address, and closes it. */
void *loopback_accept_one(void *listener);

/* Sets SO_RCVTIMEO or SO_SNDTIMEO, to less than a second. */
void loopback_limit(int fd, int option, long microseconds);

#endif
