/* Trying calls again after a while: those that no file descriptor can be polled for. */
#ifndef HUBBUB_PATCH_RETRY_PRIV_H
#define HUBBUB_PATCH_RETRY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/patch/interrupt_priv.h"

/* The attempts of one call. */
struct retry {
	int64_t end;   /* by hub_now; HUB_FOREVER for none */
	int64_t pause; /* the last one, in nanoseconds; 0 before the first */
	struct since since;
	uint32_t generation; /* of the fd that retry_of was given */
};

/* After an attempt: sleeps for 1 ms, then for twice as long as the last time, up to 16 ms. Returns
 * true, or false with errno: EAGAIN (the end has come), EINTR, ECANCELED and others. */
bool retry_wait(struct retry *retry, enum wait_kind kind);

/* The attempts of a call on fd, without an end. */
struct retry retry_of(int fd);

/* Whether fd was closed while the call waited, so that it may mean another file. Sets errno to
 * EBADF if so. */
bool retry_has_lost(const struct retry *retry, int fd);

/* As retry_wait, for a call on the fd that retry_of was given: false, too, if retry_has_lost it. */
bool retry_wait_for(struct retry *retry, int fd, enum wait_kind kind);

#endif
