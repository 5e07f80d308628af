/* The permits of semaphores. */
#ifndef HUBBUB_SIM_PERMITS_PRIV_H
#define HUBBUB_SIM_PERMITS_PRIV_H

/* The run ends. */
void permits_end(void);

#endif
