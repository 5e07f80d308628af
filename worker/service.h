/* The worker's side of busy.h, through which services and workers talk about a connection. */
#ifndef HUBBUB_WORKER_SERVICE_H
#define HUBBUB_WORKER_SERVICE_H

struct worker_thread;

/* Makes hubbub_is_draining answer for this thread, in the calling thread; NULL for none any
 * more. */
void service_use(const struct worker_thread *thread);

#endif
