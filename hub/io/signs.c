/* The epoll set of the hub's own that watches for signs, and the waiters of each fd. An event
 * carries the fd and the generation of its entry, so an event of a file that was closed meanwhile
 * is dropped. The set is made at the first need, and made anew if the program closes it. */
#include "hub/io/signs_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/io/own_priv.h"
#include "hub/scheduler_priv.h"

#define EVENTS_AT_ONCE 64

static struct fd_sign *
sign_of(const struct hub *hub, const struct hub_fd *entry)
{
	struct fd_sign *signs = hub->fds.chunks[entry->read.fd >> FD_CHUNK_BITS].signs;

	return signs != NULL ? &signs[entry->read.fd & (FD_CHUNK - 1)] : NULL;
}

/* The fd's sign, made if needed; NULL without memory. */
static struct fd_sign *
sign_make(const struct hub *hub, const struct hub_fd *entry)
{
	struct fd_chunk *chunk = &hub->fds.chunks[entry->read.fd >> FD_CHUNK_BITS];

	if (chunk->signs == NULL)
		chunk->signs = calloc(FD_CHUNK, sizeof *chunk->signs);
	return sign_of(hub, entry);
}

/* Removes the fd from the set. A duplicate may keep the file in it after the fd is closed: the
 * events then carry an old generation. Keeps errno. */
static void
unwatch(struct hub *hub, struct hub_fd *entry, struct fd_sign *sign)
{
	struct epoll_event nothing = {0};
	int error = errno;

	DCHECK(sign->watched == 0 || hub->fds.signs != -1);
	if (sign->watched != 0)
		kernel_epoll_ctl(hub->fds.signs, EPOLL_CTL_DEL, entry->read.fd, &nothing);
	sign->watched = 0;
	errno = error;
}

/* The program has closed the set: forgets it, and wakes all waiters, which make another when they
 * ask again. */
static void
lose_set(struct hub *hub)
{
	ev_io_stop(hub->loop, &hub->fds.signs_watcher);
	hub_disown(hub->fds.signs);
	hub->fds.signs = -1;
	for (unsigned i = 0; i < hub->fds.size / FD_CHUNK; i++)
		for (int at = 0; hub->fds.chunks[i].signs != NULL && at < FD_CHUNK; at++) {
			hub->fds.chunks[i].signs[at].watched = 0;
			waiters_wake_all(&hub->fds.chunks[i].signs[at].waiters, 0);
		}
}

static void
wake_waiters(struct hub *hub, const struct epoll_event *event)
{
	uint32_t fd = (uint32_t)event->data.u64, generation = (uint32_t)(event->data.u64 >> 32);
	struct hub_fd *entry = fd_entry(hub, (int)fd);
	struct fd_sign *sign = sign_of(hub, entry);

	if ((uint32_t)entry->generation != generation || sign == NULL)
		return;
	/* A duplicate of an fd that was closed by others may keep its file in the set. */
	if (sign->watched == 0)
		return;
	if (sign->waiters == NULL)
		unwatch(hub, entry, sign);
	waiters_wake_all(&sign->waiters, 0);
}

/* The loop's callback for the set. The set is edge-triggered, so each event is fetched once. */
static void
on_signs(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub *hub = CONTAINER_OF(watcher, struct hub, fds.signs_watcher);
	struct epoll_event told[EVENTS_AT_ONCE];
	int count;

	(void)loop;
	DCHECK(watcher->fd == hub->fds.signs);
	if (events & EV_ERROR) {
		lose_set(hub);
		return;
	}
	/* Events beyond these are fetched in the next turn. */
	count = kernel_epoll_wait_now(hub->fds.signs, told, EVENTS_AT_ONCE);
	if (count < 0 && errno != EINTR)
		lose_set(hub);
	for (int i = 0; i < count; i++)
		wake_waiters(hub, &told[i]);
}

/* Whether the set still has an fd. */
static bool
is_any_watched(const struct hub *hub)
{
	for (unsigned i = 0; i < hub->fds.size / FD_CHUNK; i++)
		for (int at = 0; hub->fds.chunks[i].signs != NULL && at < FD_CHUNK; at++)
			if (hub->fds.chunks[i].signs[at].watched != 0)
				return true;
	return false;
}

void
signs_stop(struct hub *hub)
{
	CHECK(!is_any_watched(hub));
	if (hub->fds.signs == -1)
		return;
	ev_io_stop(hub->loop, &hub->fds.signs_watcher);
	signs_abandon(hub);
}

void
signs_abandon(struct hub *hub)
{
	if (hub->fds.signs != -1) {
		hub_disown(hub->fds.signs);
		kernel_close(hub->fds.signs);
	}
	hub->fds.signs = -1;
}

/* Makes the set if there is none. Returns 0 or an errno. */
static int
make_set(struct hub *hub)
{
	if (hub->fds.signs != -1)
		return 0;
	hub->fds.signs = hub_own(kernel_epoll_create1(EPOLL_CLOEXEC));
	if (hub->fds.signs == -1)
		return errno;
	DCHECK(!ev_is_active(&hub->fds.signs_watcher));
	ev_io_init(&hub->fds.signs_watcher, on_signs, hub->fds.signs, EV_READ);
	ev_io_start(hub->loop, &hub->fds.signs_watcher);
	return 0;
}

/* Watches the fd for wanted, too. Returns 0 or an errno: EBADF or EINVAL if the program has closed
 * the set. */
static int
watch(struct hub *hub, struct hub_fd *entry, struct fd_sign *sign, uint32_t wanted)
{
	int fd = entry->read.fd, operation = sign->watched != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	struct epoll_event event = {.events = sign->watched | wanted | EPOLLET,
		.data.u64 = (uint32_t)fd | entry->generation << 32};
	int error = make_set(hub);

	if (error != 0 || event.events == sign->watched)
		return error;
	if (kernel_epoll_ctl(hub->fds.signs, operation, fd, &event) != 0) {
		error = errno;
		/* The set holds the file that the fd referred to before, or kept it over a
		 * hub_release. */
		if (error == ENOENT || error == EEXIST)
			error = kernel_epoll_ctl(hub->fds.signs,
					error == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd,
					&event) == 0
					? 0
					: errno;
	}
	if (error == 0)
		sign->watched = event.events;
	return error;
}

int
signs_enter(struct hub *hub, struct hub_fd *entry, short signs, struct hub_waiter *waiter)
{
	struct fd_sign *sign = sign_make(hub, entry);
	int error;

	DCHECK(entry->generation != 0);
	waiter->is_queued = waiter->is_met = false;
	if (sign == NULL)
		return ENOMEM;
	error = watch(hub, entry, sign, (uint16_t)signs);
	if (error == EINVAL || (error == EBADF && kernel_fcntl(hub->fds.signs, F_GETFD, 0) == -1)) {
		lose_set(hub);
		error = watch(hub, entry, sign, (uint16_t)signs);
	}
	DCHECK(error != 0 || !((uint16_t)signs & ~sign->watched));
	/* A regular file has no signs. */
	if (error == EPERM && !entry->is_socket)
		error = 0;
	if (error == 0)
		waiter_enter(&sign->waiters, waiter, hub->current);
	return error;
}

void
signs_leave(struct hub *hub, struct hub_fd *entry, struct hub_waiter *waiter)
{
	if (waiter->is_queued)
		waiter_leave(&sign_of(hub, entry)->waiters, waiter);
}

struct hub_waiter *
signs_first(const struct hub *hub, const struct hub_fd *entry)
{
	const struct fd_sign *sign = sign_of(hub, entry);

	return sign != NULL ? sign->waiters : NULL;
}

void
signs_wake(struct hub *hub, struct hub_fd *entry, int reason)
{
	struct fd_sign *sign = sign_of(hub, entry);

	if (sign != NULL)
		waiters_wake_all(&sign->waiters, reason);
}

void
signs_forget(struct hub *hub, struct hub_fd *entry, int reason)
{
	struct fd_sign *sign = sign_of(hub, entry);

	if (sign == NULL)
		return;
	unwatch(hub, entry, sign);
	waiters_wake_all(&sign->waiters, reason);
}
