/* Loops of datagrams. A peer that answers answers, such as another echo service, would be answered
 * for ever, as fast as both machines can; one datagram with a forged sender starts it. The hub
 * recognises such a peer by a datagram that repeats an answer it has been sent. The first
 * LOOPS_FIRST of these are answered, later ones at a limited rate; the first that is not answered
 * ends the loop. A peer that sends new bytes each time is never limited, however much it sends.
 * Each socket of each hub has a struct loops of its own. */
#ifndef HUBBUB_WORKER_LOOPS_H
#define HUBBUB_WORKER_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* How many repeating datagrams of a peer are answered before the limit holds. */
#define LOOPS_FIRST 10000

struct loops;

/* limit: answers a second to a looping peer, at least 1. NULL with errno ENOMEM. */
struct loops *loops_new(unsigned limit);

/* NULL is ignored. */
void loops_free(struct loops *loops);

/* Whether a datagram from this peer, received at now (nanoseconds), is to be answered. */
bool loops_admit(struct loops *loops, const struct sockaddr_storage *from, const void *bytes,
	size_t length, int64_t now);

/* Remembers an answer that is sent to this peer. */
void loops_note(
	struct loops *loops, const struct sockaddr_storage *to, const void *bytes, size_t length);

#endif
