/* The sweep: looks at waits that last. A coroutine would wait for ever for an fd that was closed,
 * or opened again, behind the hub's back. */
#ifndef HUBBUB_IO_SWEEP_PRIV_H
#define HUBBUB_IO_SWEEP_PRIV_H

struct hub;
struct hub_fd;

void sweep_start(struct hub *hub);
void sweep_stop(struct hub *hub);

/* A wait begins on an fd that is not in the sweep's first queue. */
void sweep_enter(struct hub *hub, struct hub_fd *entry);

#endif
