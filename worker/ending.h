/* The end of a connection whose service has returned, or which is not served. */
#ifndef HUBBUB_WORKER_ENDING_H
#define HUBBUB_WORKER_ENDING_H

struct fd_opening;
struct worker_thread;

/* Ends the connection's output, and reads on until the peer ends its own, for a second at most, so
 * that a peer which still sends is not reset before it has read its last answer. A connection whose
 * peer has ended, or which the service has closed, is left alone; closing is the caller's.
 * Switches: yes. */
void ending_run(int client, const struct fd_opening *opening, struct worker_thread *thread);

#endif
