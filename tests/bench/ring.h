/* Receiving, sending and accepting by io_uring, under a hub: what a backend of that kind would
 * cost. Accepts and receives are multishot. The calls wait as every call of a hub waits: a kill, a
 * timeout or an error ends them. One ring for each process. */
#ifndef HUBBUB_TESTS_BENCH_RING_H
#define HUBBUB_TESTS_BENCH_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_BUFFER ((size_t)16384) /* bytes at once, of each call */
#define RING_END (-2)

/* A connection. */
struct link;

/* Accepts from the listening socket, and calls the function in a coroutine for each connection,
 * which is closed when it returns. Called by a coroutine; returns -1 with errno if there can be no
 * ring, or when the coroutine is killed. */
int ring_run(int listener, void (*serve)(struct link *));

/* As hub_recv, into RING_BUFFER bytes. Switches: yes. */
ssize_t ring_receive(struct link *link, char *buffer);

/* As hub_send, but returns 0, and takes at most RING_BUFFER bytes, which it copies before it waits.
 * Switches: if the former send has not ended. */
int ring_send(struct link *link, const char *bytes, size_t length);

/* Receives bytes that lie in a buffer of the ring. Returns its number, which ring_send_lent takes,
 * RING_END, or -1 with errno. Switches: yes. */
int64_t ring_receive_lent(struct link *link, char **bytes, size_t *length);

/* Sends the bytes of such a buffer, and gives it back. Returns 0, or -1 with errno. Switches: if
 * the former send has not ended. */
int ring_send_lent(struct link *link, uint32_t number);

#endif
