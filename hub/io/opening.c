/* Each entry holds a count that changes at every close of its fd. Entries stay in the hub's table
 * for as long as the hub, so comparing counts is safe at any time. */
#include "hub/io/opening.h"

#include "hub/io/fd_priv.h"

struct fd_opening
fd_opening(int fd)
{
	struct hub *hub = hub_this;
	const struct hub_fd *entry =
		hub != NULL && hub->loop != NULL ? fd_lookup_watched(hub, fd) : NULL;

	return (struct fd_opening){entry, entry != NULL ? entry->opening : 0};
}

bool
fd_was_closed(const struct fd_opening *opening)
{
	return opening->entry != NULL && opening->entry->opening != opening->opening;
}
