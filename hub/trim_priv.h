/* What a hub gives back when it needs less than it did: pages of stacks, slots, entries of
 * descriptors, and what the allocator keeps.
 *
 * A timer looks every second, in the loop, where no coroutine runs. It starts when the memory of
 * stacks or descriptors has changed, and stops when nothing has changed, and everything has gone
 * back, for as long as memory is kept: so an idle hub is not woken. It wakes nobody, so it does
 * not count as something that a waiter may hope for.
 *
 * HUBBUB_TRIM in the environment: for how many milliseconds memory is kept that is not needed
 * (40000). */
#ifndef HUBBUB_TRIM_PRIV_H
#define HUBBUB_TRIM_PRIV_H

struct hub;

/* Of a hub whose loop exists; before it ends. */
void trim_prepare(struct hub *hub);
void trim_stop(struct hub *hub);

/* Starts the timer. */
void trim_start(struct hub *hub);

/* Without a loop there is no time: when a coroutine is gone, and with it most of those that there
 * were, what they needed goes back. */
void trim_outside(struct hub *hub);

#endif
