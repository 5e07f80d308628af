/* What one hub does with a datagram socket: takes what has come, many at once, lets the service
 * answer each, and sends the answers, many at once. */
#ifndef HUBBUB_WORKER_DATAGRAMS_H
#define HUBBUB_WORKER_DATAGRAMS_H

struct datagrams;
struct worker_thread;

/* Makes one, which owns the socket. NULL with errno ENOMEM. */
struct datagrams *datagrams_new(struct worker_thread *thread, int socket);

/* Begins to answer. Switches: no.  Returns 0, or -1 with errno ENOMEM. */
int datagrams_start(struct datagrams *datagrams);

/* Answers what has come, and stops. Switches. */
void datagrams_stop(struct datagrams *datagrams);

/* Closes the socket; after datagrams_stop. */
void datagrams_close(struct datagrams *datagrams);

/* NULL is ignored. */
void datagrams_free(struct datagrams *datagrams);

#endif
