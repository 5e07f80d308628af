/* The worker's side of busy.h and self.h, by which services and workers talk to each other. */
#ifndef HUBBUB_WORKER_SERVICE_H
#define HUBBUB_WORKER_SERVICE_H

struct worker_thread;

/* Makes hubbub_is_draining and hubbub_self answer for this thread, in the calling thread; NULL for
 * none any more. */
void service_use(struct worker_thread *thread);

#endif
