/* A coroutine's life: it is made in a slot of the arena, runs hub_coroutine_main, ends there and is
 * freed. A coroutine that ends still runs on its own stack: between coroutine_free and its last
 * switch nothing may take a slot. */
#include "hub/coroutine_priv.h"

#include <errno.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/debug/hooks.h"
#include "hub/defer_priv.h"
#include "hub/failure_priv.h"
#include "hub/link_priv.h"
#include "hub/local_priv.h"
#include "hub/scheduler_priv.h"

#define CLEAN_UP_ROUNDS 4

struct hub_coroutine *
coroutine_new(struct hub *hub, hub_fn *body, void *argument, bool is_raw)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack_get(&hub->arena);

	if (coroutine == NULL)
		return NULL;
	/* Zeros, or what coroutine_free has left. */
	DCHECK(coroutine->id == 0 && !ev_is_active(&coroutine->timer));
	/* A new epoch must be above those of all former waits in this slot, also if the slot's
	 * memory was given back since. Each wait that ends appends to the run queue, so no former
	 * wait has an epoch above the count of appends. */
	DCHECK(hub->appended > UINT32_MAX || coroutine->epoch <= hub->appended + 1);
	coroutine->epoch = (uint32_t)hub->appended + 1;
	arch_context_init(&coroutine->context, coroutine, coroutine);
	coroutine->hub = hub;
	coroutine->state = COROUTINE_SWITCHED;
	coroutine->body = body;
	coroutine->argument = argument;
	coroutine->result = NULL;
	coroutine->parent = NULL;
	coroutine->heir = NULL;
	coroutine->is_told = false;
	if (is_raw)
		coroutine_set_parent(coroutine, hub->current);
	coroutine->id = ++hub->ids;
	coroutine->scope = NULL;
	coroutine->fails_with = 0;
	coroutine->is_raw = is_raw;
	coroutine->is_detached = false;
	coroutine->is_killed = false;
	coroutine->kill_reason = 0;
	coroutine->is_critical = false;
	coroutine->has_run = false;
	coroutine->shields = 0;
	coroutine->nurseries = 0;
	coroutine->thrown = 0;
	coroutine->links = NULL;
	coroutine->failure = NULL;
	coroutine->cleanup = NULL;
	coroutine->locals = NULL;
	coroutine->group = NULL;
	coroutine->spawned_at = NULL;
	coroutine->waits_for = NULL;
	coroutine->switched_to = NULL;
	coroutine->switched_from = NULL;
	coroutine->exceptions = (struct exceptions){NULL, 0};
	ev_timer_init(&coroutine->timer, hub_timer_fired, 0., 0.);
	coroutine->name[0] = '\0';
	coroutine->recorded = 0;
	return coroutine;
}

void
coroutine_free(struct hub_coroutine *coroutine)
{
	struct hub *hub = coroutine->hub;

	DCHECK(coroutine->id != 0 && hub_is_own(coroutine));
	/* Neither in the run queue, nor running but at its own end. */
	DCHECK(coroutine->state != COROUTINE_READY && coroutine->state != COROUTINE_RUNNING);
	if (ev_is_active(&coroutine->timer))
		ev_timer_stop(hub->loop, &coroutine->timer);
	if (coroutine->links != NULL)
		coroutine_end(hub, coroutine);
	DCHECK(coroutine->group == NULL);
	if (coroutine->cleanup != NULL)
		cleanup_run(&coroutine->cleanup);
	if (coroutine->locals != NULL)
		locals_free(&coroutine->locals);
	if (coroutine->failure != NULL)
		failure_free(coroutine->failure);
	/* id 0: coroutines that hold this one as parent, heir or driver see that it is gone, and a
	 * switch to it is a fatal error. */
	coroutine->id = 0;
	coroutine->state = COROUTINE_DONE;
	coroutine->scope = NULL;
	coroutine->switched_to = coroutine->switched_from = NULL;
	stack_put(&hub->arena, &coroutine->stack);
}

/* Runs what the body has deferred and destroys its local values, on this stack, so they may
 * block. */
static void
clean_up(struct hub_coroutine *self)
{
	DCHECK(self->scope != NULL || (self->shields == 0 && self->nurseries == 0));
	/* The body never stopped this scope, which lay in a frame that is gone. */
	if (__builtin_expect(self->scope != NULL, 0)) {
		CHECK_WHY(self->nurseries == 0,
			"a coroutine's body returned without closing its nursery, which lay there");
		self->scope = NULL;
		self->shields = 0;
		coroutine_update_interrupt(self);
	}
	/* Deferred calls may set local values, and destructors of values may defer calls. */
	for (int round = 0;
		round < CLEAN_UP_ROUNDS && (self->cleanup != NULL || self->locals != NULL);
		round++) {
		if (self->cleanup != NULL)
			cleanup_run(&self->cleanup);
		if (self->locals != NULL)
			locals_free(&self->locals);
	}
	if (self->failure != NULL) {
		failure_settle(self);
		self->result = NULL;
	}
}

/* A scheduled coroutine ends: it calls its links, wakes its joiner or frees itself, and leaves. */
static _Noreturn void
scheduled_end(struct hub *hub, struct hub_coroutine *self)
{
	DCHECK(hub->scheduled > 0 && hub->current == self);
	hub->scheduled--;
	if (hub->hooks != NULL && hub->hooks->ended != NULL)
		hub->hooks->ended(self, hub->hooks->context);
	record(hub, FLIGHT_END, 0, 0);
	coroutine_end(hub, self);
	DCHECK(self->parent == NULL || (!self->is_detached && self->parent->id != 0));
	if (self->is_detached) {
		failure_report(self);
		/* The stack stays usable until hub_leave has left it: nothing takes a slot
		 * before. */
		coroutine_free(self);
	} else if (self->parent != NULL) {
		hub_wake(self->parent, self->parent->epoch, 0);
	}
	hub_leave(hub);
}

struct hub_coroutine *
coroutine_living_parent(const struct hub_coroutine *coroutine)
{
	for (;;) {
		struct hub_coroutine *parent = coroutine->parent;

		if (parent == NULL || parent->id != coroutine->parent_id)
			return NULL;
		if (parent->state != COROUTINE_DONE)
			return parent;
		if (!parent->is_raw)
			return NULL;
		coroutine = parent;
	}
}

/* A raw coroutine ends: its heir gets the result; without an heir, its nearest ancestor that has
 * not ended gets the result, or is thrown the failure, which ends ancestors that have not started.
 * Without such an ancestor, or if it is the loop, the result is lost. */
static _Noreturn void
raw_end(struct hub *hub, struct hub_coroutine *self)
{
	int thrown = self->failure != NULL && self->heir == NULL ? self->failure->code : 0;
	struct hub_coroutine *heir;

	coroutine_end(hub, self);
	heir = self->heir != NULL ? coroutine_heir(self) : coroutine_living_parent(self);
	while (thrown != 0 && heir != NULL && heir->is_raw && !heir->has_run) {
		coroutine_end(hub, heir);
		heir = coroutine_living_parent(heir);
	}
	/* The thread's own stack runs the loop: it can be continued only if one of its callbacks is
	 * suspended in hub_switch, and then it is the only one that can be. */
	if (heir == NULL ||
		(heir == &hub->root && hub->loop != NULL && heir->state != COROUTINE_SWITCHED)) {
		failure_report(self);
		if (hub->root.state != COROUTINE_SWITCHED)
			hub_leave(hub);
		self->result = NULL;
		thrown = 0;
		heir = &hub->root;
	}
	CHECK_WHY(heir->state == COROUTINE_SWITCHED,
		"a raw coroutine ended whose parent is not suspended in hub_switch");
	heir->state = COROUTINE_RUNNING;
	heir->thrown = thrown;
	hub_transfer(hub, heir, thrown != 0 ? NULL : self->result, true);
	__builtin_unreachable();
}

void
hub_coroutine_main(struct hub_coroutine *self, void *value)
{
	struct hub *hub = self->hub;

	annotate_arrive(&self->stack.annotate);
	DCHECK(hub->current == self && self->state == COROUTINE_RUNNING && !self->has_run);
	coroutine_begins(self);
	if (self->is_raw)
		self->result = self->body(value);
	else if (!self->is_killed)
		self->result = self->body(self->argument);
	CHECK_WHY(
		hub_this == hub, "a coroutine's body returned in a forked child: call _exit there");
	clean_up(self);
	if (self->is_raw)
		raw_end(hub, self);
	scheduled_end(hub, self);
}

/* Makes a scheduled coroutine, not in the run queue yet. */
static struct hub_coroutine *
spawn(hub_fn *body, void *argument, const void *spawned_at)
{
	struct hub *hub = hub_this;
	struct hub_coroutine *coroutine;

	if (hub == NULL || hub->loop == NULL || hub->is_ending) {
		errno = hub != NULL && hub->loop != NULL ? ECANCELED : EPERM;
		return NULL;
	}
	coroutine = coroutine_new(hub, body, argument, false);
	if (coroutine == NULL)
		return NULL;
	coroutine->spawned_at = spawned_at;
	hub->scheduled++;
	if (hub->hooks != NULL && hub->hooks->spawned != NULL)
		hub->hooks->spawned(coroutine, hub->hooks->context);
	if (hub_is_traced(hub))
		recorder_put_spawn(hub, coroutine);
	return coroutine;
}

struct hub_coroutine *
coroutine_spawn(hub_fn *body, void *argument, const void *spawned_at)
{
	struct hub_coroutine *coroutine = spawn(body, argument, spawned_at);

	if (coroutine != NULL)
		hub_queue_append(coroutine->hub, coroutine);
	return coroutine;
}

struct hub_coroutine *
hub_spawn(hub_fn *body, void *argument)
{
	return coroutine_spawn(body, argument, __builtin_return_address(0));
}

struct hub_coroutine *
hub_spawn_later(int64_t nanoseconds, hub_fn *body, void *argument)
{
	struct hub_coroutine *coroutine = spawn(body, argument, __builtin_return_address(0));

	if (coroutine == NULL)
		return NULL;
	if (nanoseconds <= 0)
		hub_queue_append(coroutine->hub, coroutine);
	else
		hub_wait_to_start(coroutine, nanoseconds);
	return coroutine;
}

int
hub_go(hub_fn *body, void *argument)
{
	struct hub_coroutine *coroutine =
		coroutine_spawn(body, argument, __builtin_return_address(0));

	if (coroutine == NULL)
		return -1;
	coroutine->is_detached = true;
	return 0;
}

/* hub_run joins the first coroutine. */
bool
coroutine_is_joinable(const struct hub_coroutine *coroutine)
{
	return !coroutine->is_raw && !coroutine->is_detached && coroutine->parent == NULL &&
	       coroutine != coroutine->hub->main;
}

int
coroutine_join(struct hub_coroutine *coroutine, void **result, struct hub_failure *failure,
	int64_t nanoseconds)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {.what = "join", .on = coroutine, .deadline = HUB_FOREVER};
	int reason = 0;

	if (self == NULL)
		return hub_fail_in_turn();
	hub_check_own(coroutine);
	if (coroutine == self)
		reason = EDEADLK;
	else if (!coroutine_is_joinable(coroutine))
		reason = EINVAL;
	if (reason == 0 && coroutine->state != COROUTINE_DONE) {
		wait.deadline = clock_end_of(nanoseconds);
		coroutine->parent = self;
		reason = hub_suspend(&wait);
		/* Only its end wakes the joiner with 0. */
		DCHECK(coroutine->parent == self);
		DCHECK(reason != 0 || coroutine->state == COROUTINE_DONE);
		coroutine->parent = NULL;
	}
	if (reason != 0)
		return failed(reason);
	if (result != NULL)
		*result = coroutine->result;
	if (failure != NULL && coroutine->failure != NULL)
		*failure = *coroutine->failure;
	coroutine_free(coroutine);
	return 0;
}

int
hub_join(struct hub_coroutine *coroutine, void **result)
{
	return coroutine_join(coroutine, result, NULL, HUB_FOREVER);
}

int
hub_join_for(struct hub_coroutine *coroutine, void **result, int64_t nanoseconds)
{
	return coroutine_join(coroutine, result, NULL, nanoseconds);
}

int
hub_get(struct hub_coroutine *coroutine, void **result, struct hub_failure *failure)
{
	failure = failure_place(failure, &(struct hub_failure){0});
	if (coroutine_join(coroutine, result, failure, HUB_FOREVER) != 0)
		return -1;
	return failed(failure->code);
}

int
hub_detach(struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	if (!coroutine_is_joinable(coroutine))
		return failed(EINVAL);
	coroutine->is_detached = true;
	if (coroutine->state == COROUTINE_DONE) {
		failure_report(coroutine);
		coroutine_free(coroutine);
	}
	return 0;
}

bool
hub_has_started(const struct hub_coroutine *coroutine)
{
	hub_check_own(coroutine);
	return coroutine->has_run;
}

uint64_t
hub_id(const struct hub_coroutine *coroutine)
{
	return coroutine->id;
}

void
hub_set_name(struct hub_coroutine *coroutine, const char *name)
{
	size_t length = strnlen(name, COROUTINE_NAME_SIZE - 1);

	hub_check_own(coroutine);
	/* memmove: name may point into coroutine->name. */
	memmove(coroutine->name, name, length);
	coroutine->name[length] = '\0';
	coroutine->recorded = 0;
}

const char *
hub_name(const struct hub_coroutine *coroutine)
{
	return coroutine->name;
}
