/* Loops of datagrams: a peer that answers answers, as another echo service does, would be answered
 * for ever, at whatever speed the machines have; one datagram with a forged sender begins it. Such
 * a peer is known by what it sends: a datagram that it was sent itself. Of these it is answered so
 * many at first, and then a few a second; what is not answered ends the loop. A peer that sends
 * something new each time, however much, is never limited. One hub's, for one socket. */
#ifndef HUBBUB_WORKER_LOOPS_H
#define HUBBUB_WORKER_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* So many are answered before the limit holds. */
#define LOOPS_FIRST 10000

struct loops;

/* Lets pass so many a second. NULL with errno ENOMEM. */
struct loops *loops_new(unsigned limit);

/* NULL is ignored. */
void loops_free(struct loops *loops);

/* Whether a datagram that came from there, at that time in nanoseconds, is to be answered. */
bool loops_admit(struct loops *loops, const struct sockaddr_storage *from, const void *bytes,
	size_t length, int64_t now);

/* Remembers an answer that is sent there. */
void loops_note(
	struct loops *loops, const struct sockaddr_storage *to, const void *bytes, size_t length);

#endif
