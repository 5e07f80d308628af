/* Spinning: a hub with nothing to do looks for events without sleeping, for as long as that pays.
 *
 * A thread that sleeps in epoll_wait is woken by an interrupt, and the scheduler runs it again: up
 * to fifty microseconds. A hub that keeps asking sees the event at once, and has used its CPU
 * meanwhile. So it spins only after waits that were short, and no longer than a few of them lasted;
 * it sleeps at once after a spin that found nothing, and for long after a spin in which others had
 * its CPU. At most as many hubs of a process spin as it has CPUs. */
#ifndef HUBBUB_SPIN_PRIV_H
#define HUBBUB_SPIN_PRIV_H

#include <stdint.h>

struct hub;

/* Before the hub's first turn: it may spin for up to that many nanoseconds; 0 for never. */
void spin_start(struct hub *hub, int64_t most);

/* After its last one. */
void spin_stop(struct hub *hub);

/* In a forked child: the hubs that spun are the parent's. */
void spin_forget(void);

/* Nothing can run: polls the loop until an event has come, without sleeping as long as that is
 * likely to pay. It may return without an event, as ev_run may. */
void spin_wait(struct hub *hub);

#endif
