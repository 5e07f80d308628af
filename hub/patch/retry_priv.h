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
	uint32_t generation; /* of retry_of's descriptor */
};

/* After an attempt: lets a millisecond pass, or twice as long as the last time, up to 16. Returns
 * true, or false with errno: EAGAIN (it is the end), EINTR, ECANCELED and others. */
bool retry_wait(struct retry *retry, enum wait_kind kind);

/* For a call on a descriptor, without an end. */
struct retry retry_of(int fd);

/* Whether the call has waited and its descriptor was closed meanwhile, for then the number may mean
 * another. Sets errno to EBADF if so. */
bool retry_has_lost(const struct retry *retry, int fd);

/* As retry_wait, with retry_of's descriptor: false, too, if retry_has_lost it. */
bool retry_wait_for(struct retry *retry, int fd, enum wait_kind kind);

#endif
