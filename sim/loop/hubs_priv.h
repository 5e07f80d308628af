/* The hubs of a world beside the first. */
#ifndef HUBBUB_SIM_HUBS_PRIV_H
#define HUBBUB_SIM_HUBS_PRIV_H

/* The running fiber's hub has run. */
void hubs_one_ends(void);

/* The running fiber will never go on: its hub is gone, in the middle of whatever it did. */
void hubs_one_is_killed(void);

/* Frees those that were not joined, which is a failure of the run. All have ended. */
void hubs_end(void);

#endif
