/* A hub that cannot accept any more, because other code of its process has closed a listening
 * socket, or another process has shut it. */
#ifndef HUBBUB_WORKER_DEAF_H
#define HUBBUB_WORKER_DEAF_H

#include "worker/state.h"

/* Until it leaves, the hub gives no sign of life, and so nobody is sent to it, and it is replaced
 * as one that hangs. Says so, and why. Does nothing if it leaves already. */
void deaf_fall(struct worker_thread *thread, const char *why);

#endif
