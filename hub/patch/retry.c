/* Pauses between the attempts of a call: 1, 2, 4, 8, then 16 ms. All state is in the caller's
 * struct retry. */
#include "hub/patch/retry_priv.h"

#include <errno.h>
#include <hubbub/fork.h>
#include <hubbub/scheduler.h>

#include "hub/patch/generation_priv.h"
#include "hub/patch/patch_priv.h"

#define PAUSE_FIRST HUB_MILLISECOND
#define PAUSE_MOST (16 * HUB_MILLISECOND)

bool
retry_wait(struct retry *retry, enum wait_kind kind)
{
	int64_t left = retry->end == HUB_FOREVER ? HUB_FOREVER : retry->end - hub_now();
	struct interruptible wait;
	int result;

	if (left <= 0) {
		errno = EAGAIN;
		return false;
	}
	retry->pause = retry->pause == 0 ? PAUSE_FIRST : 2 * retry->pause;
	if (retry->pause > PAUSE_MOST)
		retry->pause = PAUSE_MOST;
	if (left > retry->pause)
		left = retry->pause;
	/* In a child of vfork(2) the wait is not put into its parent's list: the child may be
	 * killed, and would leave it there. */
	if (hub_is_vforked())
		return patch_rest(left) == 0;
	interruptible_begin(&wait, kind, &retry->since);
	result = patch_rest(left);
	interruptible_end(&wait);
	return result == 0;
}

struct retry
retry_of(int fd)
{
	return (struct retry){.end = HUB_FOREVER, .generation = generation_of(fd)};
}

bool
retry_has_lost(const struct retry *retry, int fd)
{
	if (retry->pause == 0 || generation_of(fd) == retry->generation)
		return false;
	errno = EBADF;
	return true;
}

bool
retry_wait_for(struct retry *retry, int fd, enum wait_kind kind)
{
	return retry_wait(retry, kind) && !retry_has_lost(retry, fd);
}
