/* What a thread that ends leaves behind of its hub. */
#ifndef HUBBUB_LEAVING_PRIV_H
#define HUBBUB_LEAVING_PRIV_H

struct hub;

/* The thread ends, and gives back what its hub has: all but the coroutines that nobody has freed,
 * or, in the middle of a run (pthread_exit), all that others may be about to wake. */
void leaving_end(struct hub *hub);

#endif
