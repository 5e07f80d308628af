/* The worker's side of busy.h, self.h and metrics.h, by which services and workers talk to each
 * other. */
#ifndef HUBBUB_WORKER_SERVICE_H
#define HUBBUB_WORKER_SERVICE_H

struct worker_thread;

/* Makes hubbub_is_draining and hubbub_self answer for this thread, in the calling thread; NULL for
 * none any more. */
void service_use(struct worker_thread *thread);

/* The service's function has returned: the request that it was at work for, if any, has ended. */
void service_served(int client);

#endif
