/* What the end of a thread does to the thread's hub. */
#ifndef HUBBUB_LEAVING_PRIV_H
#define HUBBUB_LEAVING_PRIV_H

struct hub;

/* Called at the end of the thread. Frees the hub, but not the coroutines that were never freed;
 * inside hub_run (pthread_exit) frees nothing that another thread may be about to wake. */
void leaving_end(struct hub *hub);

#endif
