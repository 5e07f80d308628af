/* What the end of a run, and of a thread, do to the hub. */
#ifndef HUBBUB_LEAVING_PRIV_H
#define HUBBUB_LEAVING_PRIV_H

struct hub;

/* A run of the hub ends: frees the scheduled coroutines that it leaves, which nothing wakes any
 * more; raw ones belong to their creator, but one that waits in a blocking call counts as ended. */
void leaving_run(struct hub *hub);

/* Called at the end of the thread. Frees the hub, but not the coroutines that were never freed;
 * inside hub_run (pthread_exit) frees nothing that another thread may be about to wake. */
void leaving_end(struct hub *hub);

#endif
