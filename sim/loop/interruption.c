/* What may happen to a coroutine while it waits: another kills it, one of its scopes expires, its
 * descriptor is closed, and the number used again. It is drawn when the wait begins, and happens at
 * a time that is drawn, or after some switches: so also when the wait has ended, before the
 * coroutine runs. It happens between two coroutines, as if another one did it. */
#include "sim/loop/interruption_priv.h"

#include <stdlib.h>

#include "hub/chance_priv.h"
#include "hub/coroutine.h"
#include "hub/coroutine_priv.h"
#include "hub/io/fd.h"
#include "hub/io/signs_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/timeout.h"
#include "sim/invariants/awaited_priv.h"
#include "sim/invariants/invariants_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/kernel/reuse_priv.h"
#include "sim/loop/order_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/sim.h"
#include "sim/world/who_priv.h"
#include "sim/world/world_priv.h"

#define DELAY_BITS 34 /* of nanoseconds: less than 18 s */
#define TAKES_MOST 16

/* A coroutine is named by its id, too: its memory may hold another one by then. */
struct named {
	struct hub_coroutine *coroutine;
	uint64_t id;
};

struct interruption {
	struct list link; /* in planned */
	void (*happen)(struct interruption *interruption);
	struct named whom;
	struct hub *hub; /* of that coroutine */
	int *fd;         /* which is closed; NULL: none */
	int number;      /* *fd, when that was planned */
	unsigned takes;  /* of the run queue, before it happens; 0: it has a time */
	bool is_due;
	bool is_void; /* the run has ended */
};

static struct list planned = {&planned, &planned};
static struct named *mortals; /* of hub_sim_may_kill; owned */
static size_t mortal_count, mortal_size;
static int **descriptors; /* of hub_sim_may_close; owned, what they point to is the program's */
static size_t descriptor_count, descriptor_size;

static void *
grow(void *array, size_t count, size_t *size, size_t each)
{
	if (count < *size)
		return array;
	*size = *size != 0 ? 2 * *size : 16;
	array = realloc(array, *size * each);
	CHECK_WHY(array != NULL, "no memory for a simulated world");
	return array;
}

/* ---- what the program allows ---- */

void
hub_sim_may_kill(struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	CHECK_WHY(!coroutine->is_raw, "hub_sim_may_kill of a raw coroutine");
	mortals = grow(mortals, mortal_count, &mortal_size, sizeof *mortals);
	mortals[mortal_count++] = (struct named){coroutine, coroutine->id};
}

/* The descriptor is nobody's any more. */
static void
forget(int fd)
{
	for (size_t i = 0; i < descriptor_count;)
		if (*descriptors[i] == fd)
			descriptors[i] = descriptors[--descriptor_count];
		else
			i++;
}

void
hub_sim_may_close(int *fd)
{
	descriptors = grow(descriptors, descriptor_count, &descriptor_size, sizeof *descriptors);
	descriptors[descriptor_count++] = fd;
	file_closes = forget;
}

/* The record of the coroutine; NULL: it may not be killed. Those of coroutines that are gone leave
 * on the way. */
static const struct named *
find_mortal(const struct hub_coroutine *coroutine)
{
	for (size_t i = 0; i < mortal_count;) {
		if (mortals[i].coroutine->id != mortals[i].id)
			mortals[i] = mortals[--mortal_count];
		else if (mortals[i].coroutine == coroutine)
			return &mortals[i];
		else
			i++;
	}
	return NULL;
}

/* ---- what happens ---- */

static bool
is_gone(const struct named *named)
{
	return named->coroutine->id != named->id || named->coroutine->state == COROUTINE_DONE;
}

static void
happen_kill(struct interruption *interruption)
{
	if (is_gone(&interruption->whom))
		return;
	report_event_of(interruption->whom.coroutine, "is killed by the world");
	hub_kill(interruption->whom.coroutine);
}

/* Scopes up to a shield that have not expired, and would. */
static size_t
count_scopes(const struct hub_coroutine *coroutine)
{
	size_t count = 0;

	for (const struct hub_timeout *scope = coroutine->scope; scope != NULL && !scope->is_shield;
		scope = scope->outer)
		count += scope->reason == 0 && scope->deadline != HUB_FOREVER;
	return count;
}

static void
happen_expiry(struct interruption *interruption)
{
	struct hub_coroutine *coroutine = interruption->whom.coroutine;
	uint64_t skipped;

	if (is_gone(&interruption->whom) || count_scopes(coroutine) == 0)
		return;
	skipped = world_draw(count_scopes(coroutine));
	for (struct hub_timeout *scope = coroutine->scope;; scope = scope->outer) {
		if (scope->reason != 0 || scope->deadline == HUB_FOREVER || skipped-- != 0)
			continue;
		scope->reason = ETIMEDOUT;
		break;
	}
	report_event_of(coroutine, "has a scope that expires");
	coroutine_update_interrupt(coroutine);
	coroutine_wake_interrupted(coroutine);
}

static void
happen_close(struct interruption *interruption)
{
	for (size_t i = 0; i < descriptor_count; i++) {
		if (descriptors[i] != interruption->fd || *interruption->fd != interruption->number)
			continue;
		world_note("descriptor %ld is closed by the world", interruption->number, 0, 0);
		descriptors[i] = descriptors[--descriptor_count];
		*interruption->fd = -1;
		/* Whoever goes through the list of what is planned goes on behind it. */
		fiber_preempt_disable();
		hub_close(interruption->number);
		fiber_preempt_enable();
		reuse(interruption->number);
		return;
	}
}

/* ---- when it happens ---- */

static void
end(struct interruption *interruption)
{
	list_remove(&interruption->link);
	free(interruption);
}

static bool
happen_now(bool is_idle)
{
	bool has_happened = false;

	LIST_EACH (link, &planned) {
		struct interruption *interruption = CONTAINER_OF(link, struct interruption, link);
		bool is_next = interruption->is_due || (is_idle && interruption->takes != 0);

		if (!is_next || interruption->hub != hub_this)
			continue;
		interruption->happen(interruption);
		end(interruption);
		has_happened = true;
	}
	return has_happened;
}

bool
interruptions_happen(bool is_idle)
{
	return !list_is_empty(&planned) && happen_now(is_idle);
}

bool
interruptions_are_due(const struct ev_loop *loop)
{
	LIST_EACH (link, &planned) {
		const struct interruption *interruption =
			CONTAINER_OF(link, struct interruption, link);

		if (interruption->is_due && interruption->hub->loop == loop)
			return true;
	}
	return false;
}

static void
count_take(const struct hub *hub)
{
	LIST_EACH (link, &planned) {
		struct interruption *interruption = CONTAINER_OF(link, struct interruption, link);

		if (interruption->hub != hub || interruption->takes == 0 ||
			--interruption->takes != 0)
			continue;
		interruption->happen(interruption);
		end(interruption);
	}
}

void
chance_of_take(struct hub *hub)
{
	if (!list_is_empty(&planned))
		count_take(hub);
	if (world_options()->reordered != 0)
		order_take(hub);
}

static void
be_due(void *object)
{
	struct interruption *interruption = object;

	interruption->is_due = true;
	if (interruption->is_void)
		free(interruption);
}

static void
plan(void (*happen)(struct interruption *interruption), struct hub_coroutine *whom, int *fd)
{
	struct interruption *interruption = malloc(sizeof *interruption);

	CHECK_WHY(interruption != NULL, "no memory for a simulated world");
	*interruption = (struct interruption){.happen = happen,
		.whom = {whom, whom->id},
		.hub = whom->hub,
		.fd = fd,
		.number = fd != NULL ? *fd : -1};
	list_append(&planned, &interruption->link);
	if (world_draw(2) != 0)
		interruption->takes = 1 + (unsigned)world_draw(TAKES_MOST);
	else
		world_after((int64_t)world_draw_wide(DELAY_BITS), be_due, interruption);
}

/* ---- what may happen ---- */

/* The coroutine, or the first of those that it runs on behalf of, that may be killed. */
static struct hub_coroutine *
mortal(struct hub_coroutine *coroutine)
{
	while (coroutine != NULL && find_mortal(coroutine) == NULL)
		coroutine = coroutine_driver(coroutine);
	return coroutine;
}

/* The same, whose scopes may expire. */
static struct hub_coroutine *
limited(struct hub_coroutine *coroutine)
{
	while (coroutine != NULL && count_scopes(coroutine) == 0)
		coroutine = coroutine->shields == 0 ? coroutine_driver(coroutine) : NULL;
	return coroutine;
}

static bool
is_among(const struct hub_waiter *first, const struct hub_coroutine *coroutine)
{
	while (first != NULL && first->coroutine != coroutine)
		first = first->next;
	return first != NULL;
}

/* A descriptor that the coroutine waits for, and that may be closed; NULL: none. */
static int *
closable(const struct hub *hub, const struct hub_coroutine *coroutine)
{
	for (size_t i = 0; i < descriptor_count; i++) {
		int fd = *descriptors[i];
		const struct hub_fd *entry;

		if (fd < 0 || (unsigned)fd >= hub->fds.size)
			continue;
		entry = fd_entry(hub, fd);
		if (entry->generation != 0 && (is_among(entry->readers, coroutine) ||
						      is_among(entry->writers, coroutine) ||
						      is_among(signs_first(hub, entry), coroutine)))
			return descriptors[i];
	}
	return NULL;
}

void
chance_of_wait(struct hub *hub, const struct wait *wait)
{
	const struct hub_sim_options *options = world_options();
	struct hub_coroutine *self = hub->current, *whom;
	int *fd;

	invariants_note_wait(self, wait);
	if (world_chance(options->killed) && (whom = mortal(self)) != NULL)
		plan(happen_kill, whom, NULL);
	if (world_chance(options->expired) && (whom = limited(self)) != NULL)
		plan(happen_expiry, whom, NULL);
	if (world_chance(options->closed) && (fd = closable(hub, self)) != NULL)
		plan(happen_close, self, fd);
}

static void
cancel(struct interruption *interruption)
{
	list_remove(&interruption->link);
	interruption->is_void = true;
	/* The others have a time, which is still to come. */
	if (interruption->takes != 0 || interruption->is_due)
		free(interruption);
}

void
interruptions_hub_ends(const struct hub *hub)
{
	LIST_EACH (link, &planned) {
		struct interruption *interruption = CONTAINER_OF(link, struct interruption, link);

		if (interruption->hub == hub)
			cancel(interruption);
	}
	for (size_t i = 0; i < mortal_count;)
		if (mortals[i].coroutine->hub == hub)
			mortals[i] = mortals[--mortal_count];
		else
			i++;
}

void
interruptions_end(void)
{
	LIST_EACH (link, &planned)
		cancel(CONTAINER_OF(link, struct interruption, link));
	reuse_end();
	free(mortals);
	free(descriptors);
	mortals = NULL;
	descriptors = NULL;
	file_closes = NULL;
	mortal_count = mortal_size = descriptor_count = descriptor_size = 0;
}
