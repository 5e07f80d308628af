/* The bytes that a layer has kept when its connection is closed. The kernel sends after close(2)
 * what it has taken; this file does the same with the rest: on a duplicate fd, owned by a detached
 * coroutine until the bytes are sent, the peer has gone, or TIME_MOST is over. */
#include "hub/io/unsent_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/coroutine.h"
#include "hub/io/fd_priv.h"
#include "hub/io/socket.h"
#include "hub/link.h"
#include "hub/timeout.h"

#define TIME_MOST (10 * HUB_SECOND)

/* The unsent bytes of a closed connection. */
struct unsent {
	struct hub_link link;
	struct fd_hold hold; /* of a duplicate */
	unsigned char *bytes;
	size_t length;
};

/* Called even if the coroutine was killed before it ever ran. */
static void
unsent_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct unsent *unsent = CONTAINER_OF(link, struct unsent, link);

	(void)coroutine;
	if (fd_is_kept(&unsent->hold))
		hub_close(unsent->hold.entry->read.fd);
	free(unsent->bytes);
	free(unsent);
}

static void *
send_unsent(void *argument)
{
	struct unsent *unsent = argument;
	struct hub_timeout scope;

	hub_timeout_start(&scope, TIME_MOST);
	if (fd_is_kept(&unsent->hold))
		hub_send(unsent->hold.entry->read.fd, unsent->bytes, unsent->length, 0);
	hub_timeout_stop(&scope);
	return NULL;
}

/* Without memory or an fd the bytes are lost, and the peer sees no end of the stream. */
static void
leave_unsent(struct hub_fd *entry)
{
	struct unsent *unsent = malloc(sizeof *unsent);
	struct hub_coroutine *sender = NULL;
	int fd;

	if (unsent == NULL)
		return;
	unsent->bytes = entry->layer->kind->take_kept(entry->layer, &unsent->length);
	/* The layer had some, and does not own them any more. */
	CHECK(unsent->bytes != NULL && unsent->length > 0);
	CHECK(!entry->layer->kind->has_kept(entry->layer));
	fd = kernel_fcntl(entry->read.fd, F_DUPFD_CLOEXEC, 0);
	if (fd != -1 && hub_adopt(fd) == 0)
		sender = hub_spawn(send_unsent, unsent);
	if (sender == NULL) {
		if (fd != -1)
			hub_close(fd);
		free(unsent->bytes);
		free(unsent);
		return;
	}
	unsent->hold = fd_hold(fd_lookup(hub_this, fd));
	/* Otherwise nobody would close the duplicate. */
	CHECK(fd_is_held(&unsent->hold));
	hub_set_name(sender, "unsent");
	unsent->link.ended = unsent_ended;
	hub_link(sender, &unsent->link);
	hub_detach(sender);
}

void
unsent_close(struct hub_fd *entry)
{
	entry->layer->kind->end_output(entry->layer);
	if (entry->layer->kind->flush(entry->layer) != 0 && errno == EAGAIN)
		leave_unsent(entry);
	entry->layer->kind->free(entry->layer);
	entry->layer = NULL;
}
