/* The activity of a connection. Receiving and sending only set bits and a time in the fd's entry,
 * at the cost of a few instructions; this file turns these into answers. fd_activity changes the
 * bits that say what the last call has seen, so each fd has one caller. */
#include "hub/io/activity.h"

#include "hub/base/check.h"
#include "hub/io/fd_priv.h"

#define FD_ASKS (FD_IS_ASKED | FD_HAS_PART)

/* Whether the bits agree: the bytes of a request have come, and a request that was seen is open. */
static bool
are_consistent(uint8_t exchange)
{
	return (!(exchange & FD_ASKS) || (exchange & FD_HAS_COME)) &&
	       (!(exchange & FD_WAS_SEEN) || (exchange & FD_ASKS));
}

struct fd_activity
fd_activity(int fd)
{
	struct hub_fd *entry = fd_known(fd);
	struct fd_activity activity = {0};

	if (entry == NULL)
		return activity;
	DCHECK(are_consistent(entry->exchange));
	DCHECK(entry->active_at <= hub_this->now);
	activity.is_receiving = entry->readers != NULL || entry->is_in_set;
	activity.is_sending = entry->writers != NULL;
	activity.has_come = entry->exchange & FD_HAS_COME;
	activity.is_asked = entry->exchange & FD_ASKS;
	activity.is_new = activity.is_asked && !(entry->exchange & FD_WAS_SEEN);
	activity.has_sent = !(entry->exchange & FD_SENT_NOTHING);
	activity.is_busy = entry->exchange & FD_IS_BUSY;
	activity.is_settled = !activity.is_asked && (entry->exchange & FD_IS_SETTLED);
	activity.has_ended = entry->input_has_ended;
	activity.active_at = entry->active_at;
	entry->exchange |= FD_SENT_NOTHING;
	if (activity.is_asked)
		entry->exchange |= FD_WAS_SEEN;
	return activity;
}

void
fd_begin_anew(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry == NULL)
		return;
	entry->exchange &= FD_IS_BUSY | FD_CAME_SINCE;
	DCHECK(are_consistent(entry->exchange));
}

/* An entry has no other eight bytes left in its three cache lines. */
_Static_assert(sizeof(void *) == sizeof(int64_t), "a watcher's data holds a time");

void
fd_set_busy(int fd, int64_t now)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry == NULL || (entry->exchange & FD_IS_BUSY))
		return;
	DCHECK(now != 0);
	entry->exchange |= FD_IS_BUSY;
	entry->write.data = (void *)now;
}

static int64_t
busy_since(const struct hub_fd *entry)
{
	return entry != NULL && (entry->exchange & FD_IS_BUSY) ? (int64_t)entry->write.data : 0;
}

int64_t
fd_end_busy(int fd)
{
	struct hub_fd *entry = fd_known(fd);
	int64_t since = busy_since(entry);

	if (entry != NULL)
		entry->exchange &= (uint8_t)~FD_IS_BUSY;
	return since;
}

int64_t
fd_set_idle(int fd)
{
	struct hub_fd *entry = fd_known(fd);
	int64_t since = busy_since(entry);

	if (entry == NULL)
		return 0;
	entry->exchange =
		(entry->exchange & (FD_HAS_COME | FD_SENT_NOTHING | FD_CAME_SINCE)) | FD_IS_SETTLED;
	entry->active_at = hub_this->now;
	DCHECK(are_consistent(entry->exchange));
	return since;
}
