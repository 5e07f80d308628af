/* The end of a hub's connections once it accepts no more. */
#ifndef HUBBUB_WORKER_DRAIN_H
#define HUBBUB_WORKER_DRAIN_H

/* The body of the coroutine that ends connections while the hub drains: idle ones at a message
 * boundary, spread over the window; all of them once THREAD_FINISH has come. The argument is the
 * thread. Returns when it is killed. */
void *drain_run(void *argument);

#endif
