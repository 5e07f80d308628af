/* A link is a callback in a coroutine's list, called once and removed before the call. Callbacks
 * run on the stack of the coroutine that ends, with hub->current set to root, so a blocking call in
 * one fails with EPERM. hub_wait_ended is built on links: one for each awaited coroutine. */
#include "hub/link.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/failed.h"
#include "hub/base/fifo.h"
#include "hub/base/list.h"
#include "hub/failure.h"
#include "hub/link_priv.h"
#include "hub/scheduler_priv.h"

/* hub->current is root during the call, so a blocking call fails with EPERM. */
static void
call_link(struct hub *hub, struct hub_link *link, struct hub_coroutine *ended)
{
	struct hub_coroutine *running = hub->current;
	bool was_telling = hub->is_telling;

	/* It may be freed by the callback. */
	DCHECK(link->previous == NULL && hub_is_own(ended));
	hub->current = &hub->root;
	hub->is_telling = true;
	link->ended(link, ended);
	DCHECK(hub->current == &hub->root && hub->is_telling);
	hub->is_telling = was_telling;
	hub->current = running;
}

void
hub_link(struct hub_coroutine *coroutine, struct hub_link *link)
{
	hub_check_own(coroutine);
	if (coroutine->state == COROUTINE_DONE) {
		link->next = link->previous = NULL;
		call_link(coroutine->hub, link, coroutine);
		return;
	}
	FIFO_APPEND(coroutine->links, link, next, previous);
}

void
hub_unlink(struct hub_coroutine *coroutine, struct hub_link *link)
{
	if (link->previous == NULL)
		return;
	hub_check_own(coroutine);
	DCHECK(coroutine->links != NULL && coroutine->links->previous->next == NULL);
	FIFO_REMOVE(coroutine->links, link, next, previous);
	link->previous = NULL;
}

void
links_tell(struct hub *hub, struct hub_coroutine *ended)
{
	while (ended->links != NULL) {
		struct hub_link *link = ended->links;

		hub_unlink(ended, link);
		call_link(hub, link, ended);
	}
}

/* ---- waiting for several ---- */

struct ends_wait {
	/* The caller's wait; epoch names it. */
	struct hub_coroutine *waiter;
	uint32_t epoch;
	size_t missing; /* ends still to come before enough coroutines have ended */
	unsigned flags;
	bool is_over;
};

struct awaited {
	struct hub_link link;
	struct ends_wait *ends;
	/* Its memory may be another coroutine's once it has ended. */
	struct hub_coroutine *coroutine;
	uint64_t ended; /* the coroutine's place in the order of ends; 0 while it runs */
	size_t index;   /* in the caller's array */
};

/* One of the awaited coroutines has ended: wakes the caller if that is enough. */
static void
awaited_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct awaited *own = CONTAINER_OF(link, struct awaited, link);
	struct ends_wait *ends = own->ends;

	DCHECK(own->coroutine == coroutine && own->ended == 0);
	own->ended = coroutine->ended;
	if (ends->missing > 0)
		ends->missing--;
	if (ends->missing == 0 ||
		((ends->flags & HUB_WAIT_FIRST_FAILURE) && coroutine->failure != NULL))
		ends->is_over = true;
	if (ends->is_over)
		hub_wake(ends->waiter, ends->epoch, 0);
}

/* Sorts by the order of ends; coroutines that have not ended come last, in the caller's order. */
static int
compare_ends(const void *a, const void *b)
{
	const struct awaited *first = a, *second = b;

	if (first->ended == second->ended)
		return first->index < second->index ? -1 : 1;
	/* 0 wraps around to the largest value. */
	return first->ended - 1 < second->ended - 1 ? -1 : 1;
}

/* Moves the coroutines that have ended to the front; returns how many there are. */
static size_t
sort_ended(struct hub_coroutine **coroutines, size_t count, struct awaited *links)
{
	size_t ended = 0;

	qsort(links, count, sizeof *links, compare_ends);
	for (size_t i = 0; i < count; i++) {
		coroutines[i] = links[i].coroutine;
		ended += links[i].ended != 0;
	}
	return ended;
}

/* Links to all coroutines, so that each end is counted, and suspends. Returns 0 or an errno. */
static int
wait_for_ends(struct ends_wait *ends, struct hub_coroutine **coroutines, size_t count,
	struct awaited *links, int64_t nanoseconds)
{
	struct wait wait = {
		.what = "ends", .on = coroutines[0], .deadline = clock_end_of(nanoseconds)};
	int reason = 0;

	for (size_t i = 0; i < count; i++) {
		links[i] = (struct awaited){.link = {.ended = awaited_ended},
			.ends = ends,
			.coroutine = coroutines[i],
			.index = i};
		hub_link(coroutines[i], &links[i].link);
	}
	if (!ends->is_over)
		reason = hub_suspend(&wait);
	DCHECK(reason != 0 || ends->is_over);
	for (size_t i = 0; i < count; i++)
		hub_unlink(links[i].coroutine, &links[i].link);
	return reason;
}

int
link_wait_ended(struct hub_coroutine **coroutines, size_t count, size_t enough, unsigned flags,
	int64_t nanoseconds, size_t *ended)
{
	struct hub_coroutine *self = hub_enter();
	struct ends_wait ends = {.waiter = self, .flags = flags};
	struct awaited *links;
	int reason;

	*ended = 0;
	if (self == NULL)
		return hub_fail_in_turn();
	for (size_t i = 0; i < count; i++)
		if (coroutines[i] == self)
			return failed(EDEADLK);
	if (count == 0)
		return 0;
	links = calloc(count, sizeof *links);
	if (links == NULL)
		return -1;
	ends.missing = enough == 0 || enough > count ? count : enough;
	ends.epoch = self->epoch;
	reason = wait_for_ends(&ends, coroutines, count, links, nanoseconds);
	*ended = sort_ended(coroutines, count, links);
	free(links);
	return failed(reason);
}

int
hub_wait_ended(struct hub_coroutine **coroutines, size_t count, size_t enough, unsigned flags,
	size_t *ended)
{
	return link_wait_ended(coroutines, count, enough, flags, HUB_FOREVER, ended);
}
