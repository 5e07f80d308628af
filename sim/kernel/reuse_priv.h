/* Numbers of closed descriptors that are used again, for files that nobody may touch. */
#ifndef HUBBUB_SIM_REUSE_PRIV_H
#define HUBBUB_SIM_REUSE_PRIV_H

/* The number was closed. Now and then it is open again, for some time, as a file of the world's
 * own: whoever reads, writes or closes that has kept a number for too long, and the run fails. */
void reuse(int fd);

/* Looks at all of them, and closes them. */
void reuse_end(void);

#endif
