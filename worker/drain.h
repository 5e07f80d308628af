/* The end of a hub's connections when it accepts no more. */
#ifndef HUBBUB_WORKER_DRAIN_H
#define HUBBUB_WORKER_DRAIN_H

/* Ends connections while the hub drains: idle ones at the boundary of a message, spread over the
 * window; all, once THREAD_FINISH has come. The body of a coroutine; its argument is the thread. */
void *drain_run(void *thread);

#endif
