/* Nobody holds the hub for as long as a peer sends. */
#ifndef HUBBUB_SIM_GREED_PRIV_H
#define HUBBUB_SIM_GREED_PRIV_H

struct file;

/* Somebody has looked at the clock. */
void greed_looked(void);

/* A call has received something. */
void greed_received(const struct file *file, int fd);

#endif
