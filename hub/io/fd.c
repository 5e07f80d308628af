/* How an fd enters and leaves a hub, and what its two watchers do. An entry is changed by the hub's
 * thread alone; whatever removes an fd from the hub goes through fd_forget, which wakes all waiters
 * and frees the layer.
 *
 * Facts about libev (4.33) that this file relies on: starting and stopping a watcher makes no
 * system call, the next poll compares masks; a stop is never told to the kernel, so an event that
 * no watcher wants costs one epoll_ctl when it comes; an fd that is reused is watched again only
 * after a fresh ev_io_init; if the kernel refuses to watch an fd, libev stops its watchers and
 * calls them with EV_ERROR (see libev.c). */
#include "hub/io/fd_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/identity_priv.h"
#include "hub/io/signs_priv.h"
#include "hub/io/table_priv.h"

_Static_assert(sizeof(struct hub_fd) == (size_t)3 * 64, "an entry is three cache lines");

/* ---- watchers ---- */

/* libev could not watch the fd: it was closed, or the kernel has reached a limit, or it cannot
 * watch such a file. */
static void
refused(struct hub_fd *entry)
{
	if (kernel_fcntl(entry->read.fd, F_GETFD, 0) == -1) {
		fd_forget(hub_this, entry, EBADF);
		return;
	}
	waiters_wake_all(&entry->readers, hub_this->watch_error);
	waiters_wake_all(&entry->writers, hub_this->watch_error);
}

/* Whether the loop may call a watcher of the entry: a file is in it, and it is that of the watched
 * fd. */
static bool
is_of_file(const struct hub_fd *entry, const ev_io *watcher)
{
	return entry->generation != 0 && watcher->fd == entry->read.fd &&
	       entry == fd_entry(hub_this, watcher->fd);
}

/* Wakes one reader at a time: the watcher is level-triggered and fires again while bytes are left.
 * It stops when no coroutine waits. */
static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub_fd *entry = CONTAINER_OF(watcher, struct hub_fd, read);

	DCHECK(is_of_file(entry, watcher));
	if (__builtin_expect(events & EV_ERROR, 0)) {
		refused(entry);
		return;
	}
	entry->drained_for = NULL;
	/* If the loop is polled before the woken reader has run, the event comes again. */
	if (entry->is_woken)
		return;
	if (entry->readers == NULL)
		ev_io_stop(loop, watcher);
	else
		entry->is_woken = waiters_meet(&entry->readers) != NULL;
	DCHECK(fd_is_watched(entry));
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub_fd *entry = CONTAINER_OF(watcher, struct hub_fd, write);

	DCHECK(is_of_file(entry, watcher));
	if (__builtin_expect(events & EV_ERROR, 0)) {
		refused(entry);
		return;
	}
	waiters_meet(&entry->writers);
	if (entry->writers == NULL)
		ev_io_stop(loop, watcher);
	DCHECK(fd_is_watched(entry));
}

/* ---- entering and leaving ---- */

void
fd_forget(struct hub *hub, struct hub_fd *entry, int reason)
{
	DCHECK(entry->generation != 0);
	ev_io_stop(hub->loop, &entry->read);
	ev_io_stop(hub->loop, &entry->write);
	sweep_leave(entry);
	signs_forget(hub, entry, reason);
	identity_forget(hub, entry);
	waiters_wake_all(&entry->readers, reason);
	waiters_wake_all(&entry->writers, reason);
	if (entry->layer != NULL) {
		int error = errno;

		entry->layer->kind->free(entry->layer);
		errno = error;
	}
	entry->layer = NULL;
	entry->read.data = NULL;
	entry->is_adopted = false;
	if (reason == EBADF)
		fd_table_reopen(hub, entry);
	fd_table_leave(hub, entry);
}

void
fd_forget_all(struct hub *hub, int reason)
{
	for (unsigned fd = 0; fd < hub->fds.size; fd++)
		if (fd_entry(hub, (int)fd)->generation != 0)
			fd_forget(hub, fd_entry(hub, (int)fd), reason);
}

/* Enters the fd, with a new generation; whatever the hub knew of it is forgotten. NULL with errno
 * ENOMEM. */
static struct hub_fd *
enter(struct hub *hub, int fd)
{
	struct hub_fd *entry = fd_table_entry(hub, fd);

	if (entry == NULL)
		return NULL;
	/* The fd was closed behind the hub's back. */
	if (entry->generation != 0)
		fd_forget(hub, entry, EBADF);
	/* A watcher that runs is in the loop's lists, and must not be made anew. */
	DCHECK(fd_table_has_left(hub, entry));
	ev_io_init(&entry->read, on_readable, fd, EV_READ);
	ev_io_init(&entry->write, on_writable, fd, EV_WRITE);
	entry->is_adopted = entry->was_blocking = false;
	entry->drained_for = NULL;
	entry->active_at = hub->now;
	entry->exchange = FD_CAME_SINCE;
	entry->input_has_ended = false;
	entry->is_woken = false;
	entry->lacks_nowait = entry->is_in_set = entry->owes_loss = false;
	entry->lost = 0;
	fd_table_enter(hub, entry);
	return entry;
}

struct hub_fd *
fd_enter_new(struct hub *hub, int fd, bool is_stream)
{
	struct hub_fd *entry = enter(hub, fd);

	if (entry == NULL)
		return NULL;
	fd_table_reopen(hub, entry);
	entry->is_adopted = entry->was_blocking = true;
	entry->is_stream = is_stream;
	entry->is_socket = true;
	entry->is_file = false;
	return entry;
}

struct hub_fd *
fd_enter_watched(struct hub *hub, int fd)
{
	struct hub_fd *entry;
	struct stat status;

	if (kernel_fstat(fd, &status) != 0)
		return NULL;
	entry = enter(hub, fd);
	if (entry != NULL)
		identity_note(hub, entry, &status);
	return entry;
}

struct hub_fd *
fd_enter(struct hub *hub, int fd)
{
	struct hub_fd *entry = fd_known(fd);
	int flags;

	if (entry != NULL && !fd_renew(entry))
		return NULL;
	if (entry == NULL)
		entry = fd_enter_watched(hub, fd);
	if (entry == NULL)
		return NULL;
	/* Adopted once: after that the flags do not say any more whether it was blocking. */
	DCHECK(!entry->is_adopted);
	flags = kernel_fcntl(fd, F_GETFL, 0);
	if (flags == -1)
		return NULL;
	entry->was_blocking = !fd_is_shared(entry) && !(flags & O_NONBLOCK);
	if (entry->was_blocking && kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return NULL;
	entry->is_adopted = true;
	return entry;
}

/* Makes an fd of hub_adopt non-blocking whatever it is, since other calls than the hub's may read
 * it. */
static int
make_nonblocking(struct hub_fd *entry)
{
	int flags = kernel_fcntl(entry->read.fd, F_GETFL, 0);

	if (entry->is_file || entry->read.fd <= STDERR_FILENO || flags == -1 ||
		(flags & O_NONBLOCK))
		return flags == -1 ? -1 : 0;
	entry->was_blocking = true;
	return kernel_fcntl(entry->read.fd, F_SETFL, flags | O_NONBLOCK);
}

/* The entry of an fd that is, or was, in this thread's hub; NULL for none. A child with memory of
 * its own shares the epoll sets of its parent's loop, in which its own fds are not: NULL there,
 * too. */
static struct hub_fd *
entry_of(int fd)
{
	struct hub *hub = hub_this;
	struct hub_fd *entry = hub != NULL && (unsigned)fd < hub->fds.size && !fork_is_wiped()
				       ? fd_entry(hub, fd)
				       : NULL;

	return entry != NULL && entry->opening != 0 ? entry : NULL;
}

struct hub_fd *
fd_known(int fd)
{
	struct hub *hub = hub_this;
	struct hub_fd *entry;

	if (hub == NULL || (unsigned)fd >= hub->fds.size || fork_is_wiped())
		return NULL;
	entry = fd_entry(hub, fd);
	if (entry->generation != 0 && entry->layer != NULL && !fd_is_same(hub, entry))
		fd_forget(hub, entry, EBADF);
	return entry->generation != 0 ? entry : NULL;
}

bool
fd_is_kept(const struct fd_hold *hold)
{
	if (!fd_is_held(hold))
		return false;
	if (fd_is_same(hub_this, hold->entry))
		return true;
	fd_forget(hub_this, hold->entry, EBADF);
	return false;
}

bool
fd_renew(struct hub_fd *entry)
{
	struct hub *hub = hub_this;
	bool is_adopted = entry->is_adopted;
	const struct hub_fd *entered;

	if (entry->generation != 0 && fd_is_same(hub, entry))
		return true;
	if (entry->generation != 0)
		fd_forget(hub, entry, EBADF);
	entered =
		is_adopted ? fd_enter(hub, entry->read.fd) : fd_enter_watched(hub, entry->read.fd);
	/* Callers go on with the entry that they have. */
	DCHECK(entered == NULL || (entered == entry && entry->is_adopted == is_adopted));
	return entered != NULL;
}

bool
fd_has_layer(struct hub_fd *entry)
{
	return entry->layer != NULL && fd_renew(entry) && entry->layer != NULL;
}

bool
fd_input_has_ended(struct hub_fd *entry)
{
	return entry->input_has_ended && fd_renew(entry) && entry->input_has_ended;
}

bool
fd_has_input(int fd)
{
	const struct hub_fd *entry = fd_known(fd);

	return entry != NULL && (layer_has_input(entry) || hub_input_has_ended(fd));
}

const struct hub_layer *
fd_layer(int fd)
{
	const struct hub_fd *entry = fd_known(fd);

	return entry != NULL ? entry->layer : NULL;
}

/* ---- the API ---- */

int
hub_adopt(int fd)
{
	struct hub *hub = hub_this;
	struct hub_fd *entry;

	if (hub == NULL || hub->loop == NULL)
		return failed(EPERM);
	hub_release(fd);
	entry = fd_enter(hub, fd);
	return entry != NULL ? make_nonblocking(entry) : -1;
}

bool
hub_made_nonblocking(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	return entry != NULL && entry->is_adopted && entry->was_blocking &&
	       fd_is_same(hub_this, entry);
}

void
hub_release(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		fd_forget(hub_this, entry, ECANCELED);
}

void
hub_closed(int fd)
{
	struct hub_fd *entry = entry_of(fd);

	hub_release(fd);
	if (entry != NULL)
		fd_table_reopen(hub_this, entry);
}

void
hub_end_input(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry == NULL || !fd_is_same(hub_this, entry))
		return;
	if (entry->input_has_ended)
		return;
	entry->input_has_ended = true;
	waiters_wake_all(&entry->readers, 0);
	signs_wake(hub_this, entry, 0);
	/* Only the kernel can wake an epoll set of the application's. It resets a peer that sends
	 * after the end of our output, so shutdown(2) is not called otherwise. */
	if (entry->is_in_set)
		kernel_shutdown(fd, SHUT_RD);
}

void
fd_note_set(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		entry->is_in_set = true;
}

int
fd_take_loss(struct hub_fd *entry)
{
	if (!entry->owes_loss || !fd_renew(entry) || !entry->owes_loss)
		return 0;
	DCHECK(entry->lost != 0);
	entry->owes_loss = false;
	return entry->lost;
}

void
hub_note_received(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		fd_note_received(hub_this, entry);
}

void
hub_note_sent(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	if (entry != NULL)
		fd_note_sent(hub_this, entry);
}

bool
hub_input_has_ended(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	return entry != NULL && entry->input_has_ended && fd_is_same(hub_this, entry);
}

int
hub_close(int fd)
{
	struct hub_fd *entry = fd_known(fd);

	/* The record of its traffic lies on the stack of a coroutine that may have ended within
	 * its service (pthread_exit). */
	if (entry != NULL)
		entry->read.data = NULL;
	if (entry != NULL && entry->layer != NULL)
		entry->layer->kind->close(entry);
	CHECK(entry == NULL || entry->layer == NULL);
	hub_closed(fd);
	return kernel_close(fd);
}
