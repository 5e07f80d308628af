/* Processes of a world, by numbers that the caller chooses: fibers and descriptors that end
 * together, as SIGKILL ends them. 0 is the program's own, which does not. What one has allocated
 * through blocks_priv.h goes with it; shared memory stays as it is. */
#ifndef HUBBUB_SIM_PROCESS_PRIV_H
#define HUBBUB_SIM_PROCESS_PRIV_H

/* The process ends at once, or within its call of the kernel after so many more; if it is the
 * running fiber's own, that may be here. Its descriptors are closed, and then died(object) is
 * called, in any fiber; it does not pause. Of two that have calls left the first goes on. */
void process_kill(long process, unsigned calls, void (*died)(void *object), void *object);

/* The run ends. */
void processes_forget(void);

#endif
