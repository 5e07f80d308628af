/* The end of a hub's connections once it accepts no more. */
#ifndef HUBBUB_WORKER_DRAIN_H
#define HUBBUB_WORKER_DRAIN_H

/* The body of the coroutine that ends connections while the hub drains: idle ones at a message
 * boundary, spread over the window; all of them once THREAD_FINISH has come. The argument is the
 * thread. Returns when it is killed. */
void *drain_run(void *argument);

struct worker_thread;

/* After THREAD_CLOSE: kills the connections that are left, and waits until they have ended, or for
 * THREAD_STOP. Then background functions may end, which may have what connections use. Switches:
 * yes. */
void drain_kill(struct worker_thread *thread);

#endif
