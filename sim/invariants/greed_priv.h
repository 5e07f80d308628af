/* Nobody holds the hub for as long as a peer sends. */
#ifndef HUBBUB_SIM_GREED_PRIV_H
#define HUBBUB_SIM_GREED_PRIV_H

struct file;

/* Calls in a row that have received. */
extern unsigned greed_count;

/* Somebody has looked at the clock. */
static inline void
greed_looked(void)
{
	greed_count = 0;
}

/* A call has received something. */
void greed_received(const struct file *file, int fd);

#endif
