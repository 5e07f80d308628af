/* Calls of which nothing tells when they need not wait: they are tried again after a while. */
#ifndef HUBBUB_PATCH_RETRY_PRIV_H
#define HUBBUB_PATCH_RETRY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/interrupt_priv.h"

struct retry {
	int64_t end;   /* by hub_now; HUB_FOREVER for none */
	int64_t pause; /* the last one; 0 at first */
	struct since since;
};

/* After an attempt: lets a millisecond pass, or twice as long as the last time, up to 16. Returns
 * true, or false with errno: EAGAIN (it is the end), EINTR, ECANCELED and others. */
bool retry_wait(struct retry *retry, enum wait_kind kind);

/* The same for a call on a descriptor: false with errno EBADF if it was closed meanwhile, for then
 * its number may mean another. */
bool retry_wait_for(struct retry *retry, int fd, enum wait_kind kind);

#endif
