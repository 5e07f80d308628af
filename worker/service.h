/* What services and workers tell each other, beside the connection itself: busy.h is the public
 * face. */
#ifndef HUBBUB_WORKER_SERVICE_H
#define HUBBUB_WORKER_SERVICE_H

struct worker_thread;

/* hubbub_is_draining asks this, in the calling thread; NULL for none any more. */
void service_use(const struct worker_thread *thread);

#endif
