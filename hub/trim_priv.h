/* Trimming: a hub gives back memory that it has not needed lately: pages of stacks, slots, entries
 * of descriptors, and what the allocator keeps.
 *
 * A timer looks every second, in the loop, where no coroutine runs. It starts when the memory of
 * stacks or descriptors has changed. It stops when nothing has changed, and everything was given
 * back, for as long as memory is kept: so an idle hub is not woken. It wakes no coroutine, so it
 * does not count when the hub looks for a deadlock.
 *
 * HUBBUB_TRIM in the environment: milliseconds for which memory that is not needed is kept (default
 * 40000). */
#ifndef HUBBUB_TRIM_PRIV_H
#define HUBBUB_TRIM_PRIV_H

struct hub;

/* Prepare and stop the timer, while the hub's loop exists. */
void trim_prepare(struct hub *hub);
void trim_stop(struct hub *hub);

/* Starts the timer. */
void trim_start(struct hub *hub);

/* For a thread without a loop, and so without a timer: once most coroutines are gone, gives back
 * the slots that they needed. Called when one is freed. */
void trim_outside(struct hub *hub);

#endif
