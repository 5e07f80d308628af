/* Waiting for one fd, or for several as part of hub_poll and hub_select. Each wait begins by
 * checking that the entry is about the file that the fd refers to, and ends by comparing
 * generations: a coroutine never takes the event of one file for that of another. */
#include "hub/io/wait_priv.h"

#include <errno.h>
#include <poll.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/debug/awaited_priv.h"
#include "hub/io/identity_priv.h"
#include "hub/io/signs_priv.h"
#include "hub/io/sweep_priv.h"

/* Lets the sweep look at the wait if it lasts. */
static inline __attribute__((always_inline)) void
watch_long(struct hub *hub, struct hub_fd *entry)
{
	if (__builtin_expect(!sweep_is_fresh(entry), 0))
		sweep_enter(hub, entry);
	DCHECK(sweep_has(entry));
}

/* Lets the loop watch the fd, too. */
static inline __attribute__((always_inline)) void
watch(struct hub *hub, struct hub_fd *entry, ev_io *watcher)
{
	if (!ev_is_active(watcher))
		ev_io_start(hub->loop, watcher);
	watch_long(hub, entry);
}

/* Whether the event came from a file that is open elsewhere, and the fd refers to another by now:
 * then the entry is forgotten. Keeps errno. */
static bool
is_lost(struct hub_fd *entry)
{
	if (fd_is_same(hub_this, entry))
		return false;
	fd_forget(hub_this, entry, EBADF);
	return true;
}

/* Whether a wait may have ended so: what wakes a coroutine has met its waiter, and a file that
 * leaves has taken its waiters out of their queues. */
static bool
has_ended_well(const struct hub_fd *entry, fd_generation generation,
	const struct hub_waiter *waiter, int reason)
{
	return (reason != 0 || waiter->is_met) &&
	       (entry->generation == generation || !waiter->is_queued);
}

static int
wait_ended(struct hub_fd *entry, fd_generation generation, int reason)
{
	if (__builtin_expect(reason == 0 && entry->generation == generation, 1))
		return 0;
	/* The fd was released or closed. A kill has precedence. */
	if (entry->generation != generation && (reason == 0 || reason == ECANCELED)) {
		int interrupt = coroutine_interrupted(hub_this->current);

		reason = interrupt != 0 ? interrupt : EBADF;
	}
	return failed(reason);
}

static inline __attribute__((always_inline)) int
wait_direction(struct hub_fd *entry, struct hub_waiter **waiters, ev_io *watcher, const char *what,
	int64_t deadline, bool is_checked)
{
	struct hub *hub = hub_this;
	struct wait wait = {.what = what,
		.on = awaited_fd(entry->read.fd),
		.deadline = deadline,
		.is_loop_wait = true};
	struct hub_waiter waiter = {.item = NULL};
	fd_generation generation = entry->generation;
	bool has_layer = entry->layer != NULL;
	int reason;

	DCHECK(generation != 0);
	waiter_enter(waiters, &waiter, hub->current);
	watch(hub, entry, watcher);
	reason = hub_suspend(&wait);
	DCHECK(has_ended_well(entry, generation, &waiter, reason));
	/* The entry outlives the file, so it can be read even if the fd was closed. */
	waiter_leave(waiters, &waiter);
	DCHECK(fd_is_watched(entry));
	/* The fd of a drained stream may have been reused before this wait: the caller then tries
	 * again, as if it had not waited. */
	if (!is_checked && reason == EBADF && !has_layer && waiter.item == NULL)
		return 0;
	/* Checked even if no other coroutine has run: other threads may close the fd. */
	if (reason == 0 && entry->generation == generation && (is_checked || has_layer) &&
		is_lost(entry))
		reason = EBADF;
	return wait_ended(entry, generation, reason);
}

/* wait_direction for readers. A wait that was checked starts to count received bytes anew: see
 * is_noisy. */
static inline __attribute__((always_inline)) int
wait_to_read(struct hub_fd *entry, const char *what, int64_t deadline, bool is_checked)
{
	fd_generation generation = entry->generation;
	int result;

	/* What it waits for has come already, and would not come again. */
	DCHECK(!entry->input_has_ended);
	result = wait_direction(entry, &entry->readers, &entry->read, what, deadline, is_checked);
	/* The next file under the fd has readers of its own. */
	if (__builtin_expect(entry->generation == generation, 1)) {
		entry->is_woken = false;
		if (is_checked)
			entry->exchange &= (uint8_t)~FD_CAME_SINCE;
	}
	return result;
}

/* ---- fds that the loop takes for ready, and that are not ----
 *
 * While a socket has an error that is not taken, such as a message in its error queue (of
 * MSG_ZEROCOPY, of timestamps, of IP_RECVERR), the loop reports the fd in each turn, and a
 * coroutine that waits to receive or to send would try again and again. */

static bool
is_noisy(int fd, short events)
{
	struct pollfd query = {.fd = fd, .events = events};

	return kernel_poll_now(&query, 1) > 0 && !(query.revents & (events | POLLNVAL));
}

/* Waits by the set of signs, which reports each change once. */
static int
wait_quietly(struct hub_fd *entry, short events, const char *what, int64_t deadline)
{
	struct wait wait = {.what = what,
		.on = awaited_fd(entry->read.fd),
		.deadline = deadline,
		.is_loop_wait = true};
	struct hub_waiter waiter = {.item = NULL};
	fd_generation generation = entry->generation;
	int reason = signs_enter(hub_this, entry, events, &waiter);

	if (reason == 0) {
		watch_long(hub_this, entry);
		reason = hub_suspend(&wait);
		DCHECK(has_ended_well(entry, generation, &waiter, reason));
	}
	signs_leave(hub_this, entry, &waiter);
	if (reason == 0 && entry->generation == generation && is_lost(entry))
		reason = EBADF;
	return wait_ended(entry, generation, reason);
}

/* Waits, after the caller's system call has failed with EAGAIN. */
static int
wait_checked(struct hub_fd *entry, short events, const char *what, int64_t deadline)
{
	DCHECK(!entry->is_file);
	/* A coroutine that received bytes after its last wait was woken for a reason. */
	if ((events == POLLOUT || !(entry->exchange & FD_CAME_SINCE)) &&
		is_noisy(entry->read.fd, events))
		return wait_quietly(entry, events, what, deadline);
	return events == POLLIN ? wait_to_read(entry, what, deadline, true)
				: wait_direction(entry, &entry->writers, &entry->write, what,
					  deadline, true);
}

/* Begins a wait: checks that the entry is about the fd's file. With a layer that is checked at the
 * begin of the call, and at the end of the wait. */
static bool
may_wait(struct hub_fd *entry)
{
	return entry->layer != NULL || fd_renew(entry);
}

/* Files are always ready. A coroutine that gets EAGAIN from one all the same must not starve the
 * others. */
static int
pass_turn(void)
{
	hub_pause(hub_this);
	return hub_enter() != NULL ? 0 : -1;
}

static int
wait_read_until(struct hub_fd *entry, const char *what, int64_t deadline)
{
	if (!may_wait(entry))
		return -1;
	if (entry->is_file)
		return pass_turn();
	/* Only an accept comes here, and would wait for ever: a receive returns the end of the
	 * stream before. */
	if (entry->input_has_ended)
		return failed(EINVAL);
	return wait_checked(entry, POLLIN, what, deadline);
}

static int
wait_write_until(struct hub_fd *entry, const char *what, int64_t deadline)
{
	if (!may_wait(entry))
		return -1;
	if (entry->is_file)
		return pass_turn();
	return wait_checked(entry, POLLOUT, what, deadline);
}

bool
fd_let_others_run(struct hub_fd *entry)
{
	fd_generation generation;

	/* Finds out first if the fd was reused before this call: otherwise that would count as a
	 * close during the pause. */
	if (!fd_renew(entry))
		return false;
	generation = entry->generation;
	hub_pause(hub_this);
	if (hub_enter() == NULL)
		return false;
	errno = EBADF;
	return entry->generation == generation && !is_lost(entry);
}

int
fd_wait_read(struct hub_fd *entry, const char *what)
{
	return wait_read_until(entry, what, HUB_FOREVER);
}

int
fd_wait_write(struct hub_fd *entry, const char *what)
{
	return wait_write_until(entry, what, HUB_FOREVER);
}

int
fd_wait_drained(struct hub_fd *entry, const char *what)
{
	DCHECK(entry->is_stream);
	return entry->input_has_ended ? 0 : wait_to_read(entry, what, HUB_FOREVER, false);
}

int
fd_interest_note(struct fd_interest *interest, struct hub *hub, int fd)
{
	struct hub_fd *entry = fd_lookup_watched(hub, fd);

	/* Finds out first if the fd was reused before this call: otherwise that would count as a
	 * close since. */
	if (entry == NULL || !fd_renew(entry))
		return errno;
	if (interest->hold.entry == NULL)
		interest->hold = fd_hold(entry);
	return fd_is_held(&interest->hold) ? 0 : EBADF;
}

static bool
is_queued(const struct fd_interest *interest)
{
	return interest->reader.is_queued || interest->writer.is_queued ||
	       interest->other.is_queued;
}

int
fd_interest_enter(struct fd_interest *interest, int fd, short events, struct hub_coroutine *self)
{
	struct hub_fd *entry;
	short signs;
	int error;

	interest->reader.is_queued = interest->reader.is_met = false;
	interest->writer.is_queued = interest->writer.is_met = false;
	interest->other.is_queued = interest->other.is_met = false;
	error = fd_interest_note(interest, self->hub, fd);
	if (error != 0)
		return error;
	entry = interest->hold.entry;
	if (signs_are_asked(events, &signs)) {
		error = signs_enter(self->hub, entry, signs, &interest->other);
		if (error != 0)
			return error;
		watch_long(self->hub, entry);
	}
	if (events & POLLIN) {
		waiter_enter(&entry->readers, &interest->reader, self);
		watch(self->hub, entry, &entry->read);
	}
	if (events & POLLOUT) {
		waiter_enter(&entry->writers, &interest->writer, self);
		watch(self->hub, entry, &entry->write);
	}
	/* Else nothing would wake it. */
	DCHECK(is_queued(interest));
	return 0;
}

bool
fd_interest_leave(struct fd_interest *interest)
{
	struct hub_fd *entry = interest->hold.entry;

	if (entry == NULL)
		return false;
	DCHECK(fd_is_held(&interest->hold) || !is_queued(interest));
	if (interest->reader.is_met && !fd_interest_is_over(interest)) {
		entry->is_woken = false;
		fd_note_readable(hub_this, entry);
	}
	waiter_leave(&entry->readers, &interest->reader);
	waiter_leave(&entry->writers, &interest->writer);
	signs_leave(hub_this, entry, &interest->other);
	if (!interest->reader.is_met && !interest->writer.is_met && !interest->other.is_met)
		return false;
	if (fd_is_held(&interest->hold))
		is_lost(entry);
	return true;
}

/* Waits for either direction. */
static int
wait_either(struct hub_fd *entry)
{
	struct wait wait = {.what = "descriptor",
		.on = awaited_fd(entry->read.fd),
		.deadline = HUB_FOREVER,
		.is_loop_wait = true};
	struct fd_interest interest = {0};
	int reason =
		fd_interest_enter(&interest, entry->read.fd, POLLIN | POLLOUT, hub_this->current);

	if (reason != 0)
		return failed(reason);
	reason = hub_suspend(&wait);
	fd_interest_leave(&interest);
	return wait_ended(entry, interest.hold.generation, reason);
}

static int
fd_wait(struct hub_fd *entry, short events)
{
	if (events == POLLIN)
		return fd_wait_read(entry, "descriptor");
	if (events == POLLOUT)
		return fd_wait_write(entry, "descriptor");
	return wait_either(entry);
}

int
fd_poll_now(int fd, short events)
{
	struct pollfd query = {.fd = fd, .events = events};

	if (fd < 0)
		return failed(EBADF);
	/* poll(2) may be interrupted even if it does not wait. */
	while (kernel_poll_now(&query, 1) < 0)
		if (errno != EINTR)
			return -1;
	if (fd_has_input(fd))
		query.revents |= POLLIN;
	if (query.revents & POLLNVAL)
		return failed(EBADF);
	if (events == 0)
		return query.revents & (POLLHUP | POLLERR);
	/* A hang-up or an error makes both directions ready. */
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
		return hub_fail_in_turn();
	if (events == 0 || (events & ~(POLLIN | POLLOUT)) != 0)
		return failed(EINVAL);
	entry = fd_lookup_watched(self->hub, fd);
	if (entry == NULL || !fd_take_turns(entry))
		return -1;
	for (;;) {
		int ready = fd_poll_now(fd, events);

		if (ready > 0 && (ready & POLLIN))
			fd_note_readable(hub_this, entry);
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
		return hub_fail_in_turn();
	if (events != POLLIN && events != POLLOUT)
		return failed(EINVAL);
	entry = fd_lookup_watched(self->hub, fd);
	if (entry == NULL || !may_wait(entry))
		return -1;
	if (entry->is_file)
		return 1;
	if (entry->input_has_ended && events == POLLIN)
		return failed(ESHUTDOWN);
	generation = entry->generation;
	deadline = nanoseconds == HUB_FOREVER ? HUB_FOREVER : clock_after(clock_now(), nanoseconds);
	if (wait_checked(entry, events, "descriptor", deadline) == 0)
		return 1;
	if (coroutine_interrupted(self) != 0) {
		errno = coroutine_interrupted(self);
		return -1;
	}
	if (entry->generation != generation)
		errno = EBADF;
	return errno == ETIMEDOUT ? 0 : -1;
}
