/* Waiting for several descriptors at once. For descriptors together with queues, events and
 * coroutines see select.h. */
#ifndef HUBBUB_IO_POLL_H
#define HUBBUB_IO_POLL_H

#include <poll.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* poll(2), but only the coroutine waits, for all events of poll(2). timeout is in milliseconds: 0
 * does not wait, below 0 waits without limit. An fd that another coroutine closes meanwhile gets
 * POLLNVAL.
 * Switches: yes, unless an fd is ready or timeout is 0.
 * Returns the number of fds with revents; 0 after the timeout; or -1 with errno ENOMEM, EINVAL,
 * EFAULT, ENOSPC (the kernel watches no more), ECANCELED, ETIMEDOUT (a scope around), EDEADLK or
 * EPERM. */
int hub_poll(struct pollfd *fds, nfds_t count, int timeout);

HUBBUB_API_END

#endif
