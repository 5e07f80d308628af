/* Looks at waits that last: whoever waits for a number that was closed, or opened again, behind
 * the hub's back would wait for ever. */
#ifndef HUBBUB_IO_SWEEP_PRIV_H
#define HUBBUB_IO_SWEEP_PRIV_H

struct hub;
struct hub_fd;

void sweep_start(struct hub *hub);
void sweep_stop(struct hub *hub);

/* A wait begins on an entry that is not among those looked at next. */
void sweep_enter(struct hub *hub, struct hub_fd *entry);

#endif
