/* Each entry holds a count that changes at every close of its fd. Entries stay in the hub's table
 * for as long as the hub, so comparing counts is safe at any time. */
#include "hub/io/opening.h"

#include <errno.h>

#include "hub/base/check.h"
#include "hub/io/fd_priv.h"

struct fd_opening
fd_opening(int fd)
{
	struct hub *hub = hub_this;
	const struct hub_fd *entry =
		hub != NULL && hub->loop != NULL ? fd_lookup_watched(hub, fd) : NULL;

	DCHECK(entry == NULL || entry->opening != 0);
	return (struct fd_opening){entry, entry != NULL ? entry->opening : 0};
}

/* Whether the entry is of this thread's hub. In a forked child the parent's can still be read. */
static bool
is_of_hub(const struct hub_fd *entry)
{
	const struct hub *hub = hub_this;
	unsigned fd = (unsigned)entry->read.fd;

	/* Memory that was given back reads as zeros. */
	return hub == NULL || entry->opening == 0 ||
	       (fd < hub->fds.size && fd_entry(hub, (int)fd) == entry);
}

bool
fd_was_closed(const struct fd_opening *opening)
{
	DCHECK(opening->entry == NULL || is_of_hub(opening->entry));
	return opening->entry != NULL && opening->entry->opening != opening->opening;
}

bool
fd_was_reset(const struct fd_opening *opening)
{
	return opening->entry != NULL && !fd_was_closed(opening) &&
	       opening->entry->lost == ECONNRESET;
}
