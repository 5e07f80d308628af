/* What is left lies in the entry, so it is forgotten with the file. */
#include "hub/io/loss.h"

#include "hub/io/fd_priv.h"

void
loss_note(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		fd_note_failure(entry);
}

void
loss_leave(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		fd_leave_error(entry);
}

int
loss_take(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	return entry != NULL ? fd_take_loss(entry) : 0;
}
