/* The end of a connection, after its service has returned or if it is not served. */
#ifndef HUBBUB_WORKER_ENDING_H
#define HUBBUB_WORKER_ENDING_H

struct fd_opening;
struct worker_thread;

/* Ends the connection's output, and reads and discards input until the peer ends its own, for a
 * second at most: otherwise the close would reset a peer that still sends, before it has read its
 * last answer. Leaves the connection alone if its peer has ended, or the service has closed it. The
 * caller closes the descriptor.
 * Switches: yes. */
void ending_run(int client, const struct fd_opening *opening, struct worker_thread *thread);

#endif
