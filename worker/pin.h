/* Pinning: each hub's thread to a CPU of its own. */
#ifndef HUBBUB_WORKER_PIN_H
#define HUBBUB_WORKER_PIN_H

/* The CPU for hub number hub of the whole server: of those that the calling thread may use, in
 * turn; -1 if they cannot be found out. A thread that is pinned has one CPU, and so have threads
 * that it starts: choose for all of them before. */
int pin_choose(unsigned hub);

/* Pins the calling thread. Returns 0, or -1 with errno. */
int pin_to(int cpu);

#endif
