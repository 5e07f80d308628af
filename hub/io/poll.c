/* hub_poll asks the kernel first; only if nothing is ready does it put the coroutine into the queue
 * of each fd. After each switch the kernel is asked again, and an fd that was released meanwhile is
 * POLLNVAL, whatever it refers to by then. */
#include "hub/io/poll.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/scheduler_priv.h"

/* Up to this many interests lie on the caller's stack; more are allocated. */
#define SMALL 8

/* Whether ready is the number of fds that have events, as poll(2) returns it. */
static bool
are_ready(const struct pollfd *fds, nfds_t count, int ready)
{
	for (nfds_t i = 0; i < count; i++)
		ready -= fds[i].revents != 0;
	return ready == 0;
}

/* poll(2) may be interrupted even if it does not wait. */
static int
poll_now(struct pollfd *fds, nfds_t count)
{
	int ready;

	do
		ready = kernel_poll_now(fds, count);
	while (ready < 0 && errno == EINTR);
	for (nfds_t i = 0; ready >= 0 && i < count; i++) {
		if (!(fds[i].events & POLLIN) || (fds[i].revents & POLLIN) ||
			!fd_has_input(fds[i].fd))
			continue;
		ready += fds[i].revents == 0;
		fds[i].revents |= POLLIN;
	}
	DCHECK(ready < 0 || are_ready(fds, count, ready));
	return ready;
}

/* Whether the fd was released meanwhile, or closed behind the hub's back: the kernel is asked only
 * of one that is ready, since another file may be. */
static bool
is_over(const struct fd_interest *interest, bool is_ready)
{
	return interest->hold.entry != NULL &&
	       !(is_ready ? fd_is_kept(&interest->hold) : fd_is_held(&interest->hold));
}

/* poll_now after a switch: an fd that was released or closed meanwhile gets POLLNVAL, whatever it
 * refers to. */
static int
poll_again(struct pollfd *fds, nfds_t count, const struct fd_interest *interests)
{
	int ready = poll_now(fds, count);

	for (nfds_t i = 0; ready >= 0 && i < count; i++) {
		if (fds[i].fd < 0 || !is_over(&interests[i], fds[i].revents != 0))
			continue;
		ready += fds[i].revents == 0;
		fds[i].revents = POLLNVAL;
	}
	DCHECK(ready < 0 || are_ready(fds, count, ready));
	return ready;
}

/* Lets other coroutines run, which may close fds and open them anew. Returns 0 or an errno. */
static int
take_turns(const struct pollfd *fds, nfds_t count, struct fd_interest *interests)
{
	struct hub *hub = hub_this;

	for (nfds_t i = 0; i < count; i++)
		fd_interest_note(&interests[i], hub, fds[i].fd);
	hub_pause(hub);
	if (hub_enter() == NULL)
		return errno;
	for (nfds_t i = 0; i < count; i++)
		fd_is_kept(&interests[i].hold);
	return 0;
}

/* Waits once for all fds. Returns 0 or an errno. */
static int
wait_once(struct pollfd *fds, nfds_t count, struct fd_interest *interests, int64_t deadline)
{
	struct hub_coroutine *self = hub_this->current;
	struct wait wait = {
		.what = "poll", .on = fds, .deadline = deadline, .is_loop_wait = count > 0};
	nfds_t entered = 0;
	int reason = 0;

	for (; entered < count && reason == 0; entered++) {
		if (fds[entered].fd >= 0)
			reason = fd_interest_enter(
				&interests[entered], fds[entered].fd, fds[entered].events, self);
	}
	if (reason == 0)
		reason = hub_suspend(&wait);
	for (nfds_t i = 0; i < entered; i++)
		/* A released fd is found by poll_again. */
		if (fd_interest_leave(&interests[i]) && reason == ECANCELED)
			reason = 0;
	/* poll_again finds the fd that was closed behind the hub's back. */
	if (reason == EBADF)
		reason = 0;
	return reason;
}

/* The slow part of a poll: it waits, or lets others run if is_turn. Returns as hub_poll. */
static int
wait_all(struct pollfd *fds, nfds_t count, int timeout, bool is_turn)
{
	struct fd_interest small[SMALL], *interests = small;
	int64_t deadline = HUB_FOREVER;
	int ready = 0, reason = 0, interrupt;

	if (count > SMALL) {
		interests = malloc(count * sizeof *interests);
		if (interests == NULL)
			return -1;
	}
	for (nfds_t i = 0; i < count; i++)
		interests[i].hold = fd_hold(NULL);
	if (timeout > 0)
		deadline = clock_after(clock_now(), timeout * HUB_MILLISECOND);
	if (is_turn) {
		reason = take_turns(fds, count, interests);
		if (reason == 0)
			ready = poll_again(fds, count, interests);
	}
	while (timeout != 0 && ready == 0 && reason == 0) {
		reason = wait_once(fds, count, interests, deadline);
		if (reason == 0)
			ready = poll_again(fds, count, interests);
	}
	if (interests != small)
		free(interests);
	if (ready != 0 || reason == 0)
		return ready;
	interrupt = coroutine_interrupted(hub_this->current);
	if (reason == ETIMEDOUT && interrupt == 0)
		return 0;
	/* A kill after the timeout has precedence. */
	errno = interrupt != 0 ? interrupt : reason;
	return -1;
}

int
hub_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct hub_coroutine *self = hub_enter();
	bool is_turn;
	int ready;

	if (self == NULL)
		return hub_fail_in_turn();
	/* First, so that the kernel reports what is wrong with the array. */
	ready = poll_now(fds, count);
	if (ready < 0)
		return ready;
	is_turn = hub_tick(self->hub);
	if (!is_turn && (ready != 0 || timeout == 0))
		return ready;
	return wait_all(fds, count, timeout, is_turn);
}
