/* libev facts that this file lives by (4.33): starting and stopping a watcher makes no system call,
 * the next poll compares masks; a stop is never told to the kernel, so an event that nobody wants
 * costs one epoll_ctl when it comes; a closed fd with a live watcher aborts the process; a number
 * that is reused is armed only after a fresh ev_io_init. */
#include "hub/io/fd_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"

/* ---- watchers ---- */

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub_fd *entry = CONTAINER_OF(watcher, struct hub_fd, read);

	(void)events;
	entry->is_drained = false;
	/* When the loop is polled before the woken reader has run, the event comes again. */
	if (entry->is_woken)
		return;
	if (entry->readers == NULL)
		ev_io_stop(loop, watcher);
	else
		entry->is_woken = waiters_meet(&entry->readers) != NULL;
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct hub_fd *entry = CONTAINER_OF(watcher, struct hub_fd, write);

	(void)events;
	waiters_meet(&entry->writers);
	if (entry->writers == NULL)
		ev_io_stop(loop, watcher);
}

static void
entry_reset(struct hub *hub, struct hub_fd *entry)
{
	ev_io_stop(hub->loop, &entry->read);
	ev_io_stop(hub->loop, &entry->write);
	waiters_wake_all(&entry->readers, ECANCELED);
	waiters_wake_all(&entry->writers, ECANCELED);
	if (entry->layer != NULL)
		entry->layer->kind->free(entry->layer);
	entry->layer = NULL;
	entry->generation++;
	entry->is_open = entry->is_adopted = false;
}

/* ---- the table ---- */

struct fd_table *
fd_table_new(void)
{
	return calloc(1, sizeof(struct fd_table));
}

void
fd_table_free(struct fd_table *table)
{
	for (int fd = 0; fd < table->size; fd++) {
		if (table->entries[fd] != NULL)
			entry_reset(hub_this, table->entries[fd]);
		free(table->entries[fd]);
	}
	free(table->entries);
	free(table);
}

static bool
table_grow(struct fd_table *table, int fd)
{
	int size = table->size != 0 ? table->size : 64;
	struct hub_fd **entries;

	while (size <= fd)
		size *= 2;
	entries = realloc(table->entries, (size_t)size * sizeof *entries);
	if (entries == NULL)
		return false;
	memset(entries + table->size, 0, (size_t)(size - table->size) * sizeof *entries);
	table->entries = entries;
	table->size = size;
	return true;
}

static struct hub_fd *
enter(struct hub *hub, int fd, bool is_stream)
{
	struct fd_table *table = hub->fds;
	struct hub_fd *entry;

	if (fd >= table->size && !table_grow(table, fd)) {
		errno = ENOMEM;
		return NULL;
	}
	entry = table->entries[fd];
	if (entry == NULL) {
		entry = calloc(1, sizeof *entry);
		if (entry == NULL)
			return NULL;
		table->entries[fd] = entry;
		entry->fd = fd;
	} else if (entry->is_open) {
		entry_reset(hub, entry);
	}
	ev_io_init(&entry->read, on_readable, fd, EV_READ);
	ev_io_init(&entry->write, on_writable, fd, EV_WRITE);
	entry->is_open = entry->is_adopted = entry->was_blocking = true;
	entry->is_stream = is_stream;
	entry->is_socket = true;
	entry->is_file = false;
	entry->is_drained = false;
	entry->has_received = false;
	entry->input_has_ended = false;
	entry->is_woken = false;
	return entry;
}

struct hub_fd *
fd_enter_new(struct hub *hub, int fd, bool is_stream)
{
	struct hub_fd *entry = enter(hub, fd, is_stream);

	/* It may have been closed behind our back. */
	if (entry != NULL)
		entry->closings++;
	return entry;
}

struct hub_fd *
fd_enter_watched(struct hub *hub, int fd)
{
	struct hub_fd *entry;
	struct stat status;
	int type;
	socklen_t length = sizeof type;

	if (fstat(fd, &status) != 0)
		return NULL;
	entry = enter(hub, fd,
		S_ISSOCK(status.st_mode) &&
			getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
			type == SOCK_STREAM);
	if (entry == NULL)
		return NULL;
	entry->is_socket = S_ISSOCK(status.st_mode);
	entry->is_file = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
	entry->is_adopted = entry->was_blocking = false;
	return entry;
}

struct hub_fd *
fd_enter(struct hub *hub, int fd)
{
	struct hub_fd *entry = fd_lookup_watched(hub, fd);
	int flags;

	if (entry == NULL)
		return NULL;
	flags = kernel_fcntl(fd, F_GETFL, 0);
	if (flags == -1)
		return NULL;
	entry->was_blocking = !entry->is_file && !(flags & O_NONBLOCK);
	if (entry->was_blocking && kernel_fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return NULL;
	entry->is_adopted = true;
	return entry;
}

/* ---- waiting ---- */

static int
wait_ended(const struct hub_fd *entry, fd_generation generation, int reason)
{
	if (reason == 0 && entry->generation != generation)
		reason = ECANCELED;
	if (reason == 0)
		return 0;
	errno = reason;
	return -1;
}

static inline __attribute__((always_inline)) int
wait_direction(struct hub_fd *entry, struct hub_waiter **waiters, ev_io *watcher, const char *what,
	int64_t deadline)
{
	struct hub *hub = hub_this;
	struct wait wait = {what, (const void *)(intptr_t)entry->fd, deadline, true, false};
	struct hub_waiter waiter;
	fd_generation generation = entry->generation;
	int reason;

	if (entry->is_file)
		return 0;
	waiter_enter(waiters, &waiter, hub->current);
	if (!ev_is_active(watcher))
		ev_io_start(hub->loop, watcher);
	reason = hub_suspend(&wait);
	/* The entry outlives the descriptor, so this is safe even if that was closed. */
	waiter_leave(waiters, &waiter);
	return wait_ended(entry, generation, reason);
}

static inline __attribute__((always_inline)) int
wait_read_until(struct hub_fd *entry, const char *what, int64_t deadline)
{
	fd_generation generation = entry->generation;
	int result;

	if (entry->input_has_ended)
		return 0;
	result = wait_direction(entry, &entry->readers, &entry->read, what, deadline);
	/* The number's next owner has readers of its own. */
	if (__builtin_expect(entry->generation == generation, 1))
		entry->is_woken = false;
	return result;
}

int
fd_wait_read(struct hub_fd *entry, const char *what)
{
	return wait_read_until(entry, what, HUB_FOREVER);
}

int
fd_wait_write(struct hub_fd *entry, const char *what)
{
	return wait_direction(entry, &entry->writers, &entry->write, what, HUB_FOREVER);
}

int
fd_interest_enter(struct fd_interest *interest, int fd, short events, struct hub_coroutine *self)
{
	struct hub_fd *entry = fd_interest_note(interest, self->hub, fd);

	if (entry == NULL)
		return errno;
	interest->reader.is_queued = interest->reader.is_met = false;
	interest->writer.is_queued = interest->writer.is_met = false;
	if (events & POLLIN) {
		waiter_enter(&entry->readers, &interest->reader, self);
		ev_io_start(self->hub->loop, &entry->read);
	}
	if (events & POLLOUT) {
		waiter_enter(&entry->writers, &interest->writer, self);
		ev_io_start(self->hub->loop, &entry->write);
	}
	return 0;
}

bool
fd_interest_leave(struct fd_interest *interest)
{
	struct hub_fd *entry = interest->entry;

	if (entry == NULL)
		return false;
	if (interest->reader.is_met && !fd_interest_is_over(interest))
		entry->is_woken = false;
	waiter_leave(&entry->readers, &interest->reader);
	waiter_leave(&entry->writers, &interest->writer);
	return interest->reader.is_met || interest->writer.is_met;
}

/* Whichever direction is ready first wakes it. */
static int
fd_wait_either(struct hub_fd *entry)
{
	struct wait wait = {
		"descriptor", (const void *)(intptr_t)entry->fd, HUB_FOREVER, true, false};
	struct fd_interest interest;
	fd_generation generation = entry->generation;
	int reason;

	fd_interest_enter(&interest, entry->fd, POLLIN | POLLOUT, hub_this->current);
	reason = hub_suspend(&wait);
	fd_interest_leave(&interest);
	return wait_ended(entry, generation, reason);
}

static int
fd_wait(struct hub_fd *entry, short events)
{
	if (events == POLLIN)
		return fd_wait_read(entry, "descriptor");
	if (events == POLLOUT)
		return fd_wait_write(entry, "descriptor");
	return fd_wait_either(entry);
}

/* The number's entry in this thread's hub, if it runs one and there is one. */
static struct hub_fd *
entry_of(int fd)
{
	struct hub *hub = hub_this;

	return hub != NULL && hub->fds != NULL && fd >= 0 && fd < hub->fds->size
		       ? hub->fds->entries[fd]
		       : NULL;
}

/* What this thread's hub, if it runs one, knows of the number; NULL for nothing. */
static struct hub_fd *
known(int fd)
{
	struct hub_fd *entry = entry_of(fd);

	return entry != NULL && entry->is_open ? entry : NULL;
}

struct fd_opening
fd_opening(int fd)
{
	struct hub *hub = hub_this;
	struct hub_fd *entry = hub != NULL && hub->fds != NULL ? fd_lookup_watched(hub, fd) : NULL;

	return (struct fd_opening){entry, entry != NULL ? entry->closings : 0};
}

bool
fd_has_input(int fd)
{
	const struct hub_fd *entry = known(fd);

	return entry != NULL && layer_has_input(entry);
}

const struct hub_layer *
fd_layer(int fd)
{
	const struct hub_fd *entry = known(fd);

	return entry != NULL ? entry->layer : NULL;
}

int
fd_poll_now(int fd, short events)
{
	struct pollfd query = {.fd = fd, .events = events};

	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	/* Even without waiting it may be interrupted. */
	while (kernel_poll_now(&query, 1) < 0)
		if (errno != EINTR)
			return -1;
	if (fd_has_input(fd))
		query.revents |= POLLIN;
	if (query.revents & POLLNVAL) {
		errno = EBADF;
		return -1;
	}
	/* A hang-up or error is for either direction to find. */
	if (query.revents & (POLLHUP | POLLERR))
		return events;
	return query.revents & events;
}

int
hub_wait_fd(int fd, short events)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;

	if (self == NULL)
		return -1;
	if (events == 0 || (events & ~(POLLIN | POLLOUT)) != 0) {
		errno = EINVAL;
		return -1;
	}
	entry = fd_lookup_watched(self->hub, fd);
	if (entry == NULL || !fd_take_turns(entry))
		return -1;
	for (;;) {
		int ready = fd_poll_now(fd, events);

		if (ready >= 0 && entry->input_has_ended)
			ready |= events & POLLIN;
		if (ready != 0)
			return ready;
		if (fd_wait(entry, events) != 0)
			return -1;
	}
}

int
hub_await_fd(int fd, short events, int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry;
	fd_generation generation;
	int64_t deadline;

	if (self == NULL)
		return -1;
	if (events != POLLIN && events != POLLOUT) {
		errno = EINVAL;
		return -1;
	}
	entry = fd_lookup_watched(self->hub, fd);
	if (entry == NULL)
		return -1;
	if (entry->input_has_ended && events == POLLIN) {
		errno = ESHUTDOWN;
		return -1;
	}
	generation = entry->generation;
	deadline = nanoseconds == HUB_FOREVER ? HUB_FOREVER : clock_after(clock_now(), nanoseconds);
	if ((events == POLLIN ? wait_read_until(entry, "descriptor", deadline)
			      : wait_direction(entry, &entry->writers, &entry->write, "descriptor",
					deadline)) == 0)
		return 1;
	if (coroutine_interrupted(self) != 0)
		return -1;
	if (entry->generation != generation)
		errno = EBADF;
	return errno == ETIMEDOUT ? 0 : -1;
}

/* ---- entering and leaving ---- */

int
hub_adopt(int fd)
{
	struct hub *hub = hub_this;

	if (hub == NULL || hub->loop == NULL) {
		errno = EPERM;
		return -1;
	}
	hub_release(fd);
	return fd_enter(hub, fd) != NULL ? 0 : -1;
}

bool
hub_made_nonblocking(int fd)
{
	struct hub_fd *entry = known(fd);

	return entry != NULL && entry->is_adopted && entry->was_blocking;
}

void
hub_release(int fd)
{
	struct hub_fd *entry = known(fd);

	if (entry != NULL)
		entry_reset(hub_this, entry);
}

void
hub_closed(int fd)
{
	struct hub_fd *entry = entry_of(fd);

	hub_release(fd);
	if (entry != NULL)
		entry->closings++;
}

void
hub_end_input(int fd)
{
	struct hub_fd *entry = known(fd);

	if (entry == NULL)
		return;
	entry->input_has_ended = true;
	waiters_wake_all(&entry->readers, 0);
}

struct fd_activity
fd_activity(const struct hub *hub, int fd)
{
	const struct hub_fd *entry = fd >= 0 && fd < hub->fds->size ? hub->fds->entries[fd] : NULL;

	if (entry == NULL || !entry->is_open)
		return (struct fd_activity){0};
	return (struct fd_activity){entry->readers != NULL && entry->writers == NULL,
		entry->writers != NULL, entry->has_received};
}

int
hub_close(int fd)
{
	struct hub_fd *entry = known(fd);

	if (entry != NULL && entry->layer != NULL)
		layer_close(entry);
	hub_closed(fd);
	return kernel_close(fd);
}
