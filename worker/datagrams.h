/* A datagram socket of one hub: receives many datagrams at once, lets the service answer each, and
 * sends the answers, many at once. */
#ifndef HUBBUB_WORKER_DATAGRAMS_H
#define HUBBUB_WORKER_DATAGRAMS_H

#include <stddef.h>
#include <sys/types.h>

struct datagrams;
struct hub_datagram;
struct listened;
struct worker_thread;

/* Answers one datagram, as the service's answer does (master/server.h). */
typedef ssize_t datagrams_answer(struct hub_datagram *datagram, size_t size, void *context);

/* Makes the state for a socket, which it owns from then on. NULL with errno ENOMEM; then the socket
 * is the caller's. listened is borrowed: where the socket's listener is counted. */
struct datagrams *datagrams_new(struct worker_thread *thread, struct listened *listened, int socket,
	datagrams_answer *answer);

/* Starts to answer. Switches: no.  Returns 0, or -1 with errno ENOMEM, or EALREADY if it has
 * started. */
int datagrams_start(struct datagrams *datagrams);

/* Answers the datagrams that have arrived, and stops. Switches. */
void datagrams_stop(struct datagrams *datagrams);

/* After datagrams_stop: closes the socket. */
void datagrams_close(struct datagrams *datagrams);

/* NULL is ignored. */
void datagrams_free(struct datagrams *datagrams);

#endif
