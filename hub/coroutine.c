#include "hub/coroutine_priv.h"

#include <errno.h>
#include <string.h>

#include "hub/base/list.h"
#include "hub/scheduler_priv.h"

struct hub_coroutine *
coroutine_new(struct hub *hub, hub_fn *body, void *argument, bool is_raw)
{
	struct hub_coroutine *coroutine = (struct hub_coroutine *)(void *)stack_get(&hub->arena);

	if (coroutine == NULL)
		return NULL;
	/* All but epoch and life, which outlive the slot's owners. */
	arch_context_init(&coroutine->context, coroutine, coroutine);
	coroutine->hub = hub;
	coroutine->body = body;
	coroutine->argument = argument;
	coroutine->result = NULL;
	coroutine->parent = NULL;
	if (is_raw)
		coroutine_set_parent(coroutine, hub->current);
	coroutine->life++;
	coroutine->scope = NULL;
	coroutine->interrupt = 0;
	coroutine->is_raw = is_raw;
	coroutine->is_detached = false;
	coroutine->is_killed = false;
	coroutine->has_run = false;
	coroutine->waits_for = NULL;
	coroutine->switched_to = NULL;
	coroutine->switched_from = NULL;
	ev_timer_init(&coroutine->timer, hub_timer_fired, 0., 0.);
	coroutine->name[0] = '\0';
	return coroutine;
}

void
coroutine_free(struct hub_coroutine *coroutine)
{
	struct hub *hub = coroutine->hub;

	if (ev_is_active(&coroutine->timer))
		ev_timer_stop(hub->loop, &coroutine->timer);
	/* To those who know it as parent or driver, it is gone. */
	coroutine->life++;
	coroutine->scope = NULL;
	coroutine->switched_to = coroutine->switched_from = NULL;
	stack_put(&hub->arena, &coroutine->stack);
}

/* A scheduled coroutine ends: tell who joins, or free itself, and leave. */
static _Noreturn void
scheduled_end(struct hub *hub, struct hub_coroutine *self)
{
	hub->scheduled--;
	self->state = COROUTINE_DONE;
	if (self->is_detached)
		/* This stack stays usable until hub_leave has left it: nothing takes a slot. */
		coroutine_free(self);
	else if (self->parent != NULL)
		hub_wake(self->parent, self->parent->epoch, 0);
	hub_leave(hub);
}

struct hub_coroutine *
coroutine_living_parent(const struct hub_coroutine *coroutine)
{
	for (;;) {
		struct hub_coroutine *parent = coroutine->parent;

		if (parent == NULL || parent->life != coroutine->parent_life)
			return NULL;
		if (parent->state != COROUTINE_DONE)
			return parent;
		if (!parent->is_raw)
			return NULL;
		coroutine = parent;
	}
}

/* A raw coroutine ends: its nearest ancestor that has not gets the result. Where there is none, or it
 * is the loop, the result is lost. */
static _Noreturn void
raw_end(struct hub *hub, struct hub_coroutine *self)
{
	struct hub_coroutine *heir = coroutine_living_parent(self);

	self->state = COROUTINE_DONE;
	if (heir == NULL || (heir == &hub->root && hub->loop != NULL))
		hub_leave(hub);
	CHECK_WHY(heir->state == COROUTINE_SWITCHED,
		"a raw coroutine ended whose parent is not suspended in hub_switch");
	heir->state = COROUTINE_RUNNING;
	hub_transfer(hub, heir, self->result, true);
	__builtin_unreachable();
}

void
hub_coroutine_main(struct hub_coroutine *self, void *value)
{
	struct hub *hub = self->hub;

	annotate_arrive(&self->stack.annotate);
	self->has_run = true;
	if (self->is_raw)
		self->result = self->body(value);
	else if (!self->is_killed)
		self->result = self->body(self->argument);
	/* A scope that was never stopped lay in a frame that is gone. */
	self->scope = NULL;
	if (self->is_raw)
		raw_end(hub, self);
	scheduled_end(hub, self);
}

struct hub_coroutine *
hub_spawn(hub_fn *body, void *argument)
{
	struct hub *hub = hub_this;
	struct hub_coroutine *coroutine;

	if (hub == NULL || hub->loop == NULL || hub->is_ending) {
		errno = hub != NULL && hub->is_ending ? ECANCELED : EPERM;
		return NULL;
	}
	coroutine = coroutine_new(hub, body, argument, false);
	if (coroutine == NULL)
		return NULL;
	hub->scheduled++;
	hub_queue_append(hub, coroutine);
	return coroutine;
}

/* The first coroutine is hub_run's to join. */
static bool
is_joinable(const struct hub_coroutine *coroutine)
{
	return !coroutine->is_raw && !coroutine->is_detached && coroutine->parent == NULL &&
	       coroutine != coroutine->hub->main;
}

int
hub_join(struct hub_coroutine *coroutine, void **result)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"join", coroutine, HUB_FOREVER, false, false};
	int reason = 0;

	if (self == NULL)
		return -1;
	CHECK_WHY(coroutine->hub == self->hub, "a coroutine is joined on another thread");
	if (coroutine == self)
		reason = EDEADLK;
	else if (!is_joinable(coroutine))
		reason = EINVAL;
	if (reason == 0 && coroutine->state != COROUTINE_DONE) {
		coroutine->parent = self;
		reason = hub_suspend(&wait);
		coroutine->parent = NULL;
	}
	if (reason != 0) {
		errno = reason;
		return -1;
	}
	if (result != NULL)
		*result = coroutine->result;
	coroutine_free(coroutine);
	return 0;
}

int
hub_detach(struct hub_coroutine *coroutine)
{
	if (!is_joinable(coroutine)) {
		errno = EINVAL;
		return -1;
	}
	coroutine->is_detached = true;
	if (coroutine->state == COROUTINE_DONE)
		coroutine_free(coroutine);
	return 0;
}

int
coroutine_drivers_interrupt(const struct hub_coroutine *coroutine)
{
	int interrupt = 0;

	while (interrupt == 0 && (coroutine = coroutine_driver(coroutine)) != NULL)
		interrupt = coroutine->interrupt;
	return interrupt;
}

int64_t
coroutine_drivers_deadline(const struct hub_coroutine *coroutine)
{
	int64_t earliest = HUB_FOREVER;

	while ((coroutine = coroutine_driver(coroutine)) != NULL)
		if (coroutine->scope != NULL && coroutine->scope->earliest < earliest)
			earliest = coroutine->scope->earliest;
	return earliest;
}

void
coroutine_interrupt(struct hub_coroutine *coroutine)
{
	coroutine->is_killed = true;
	coroutine->interrupt = ECANCELED;
	hub_wake(coroutine, coroutine->epoch, ECANCELED);
}

int
hub_kill(struct hub_coroutine *coroutine)
{
	if (coroutine->is_raw) {
		errno = EINVAL;
		return -1;
	}
	CHECK_WHY(coroutine->hub == hub_this, "a coroutine is killed on another thread");
	coroutine_interrupt(coroutine);
	/* What blocks may be a raw coroutine, such as a generator, that runs for this one. */
	while (coroutine->switched_to != NULL &&
		coroutine_driver(coroutine->switched_to) == coroutine) {
		coroutine = coroutine->switched_to;
		hub_wake(coroutine, coroutine->epoch, ECANCELED);
	}
	return 0;
}

struct hub_coroutine *
hub_current(void)
{
	struct hub *hub = hub_this;

	return hub != NULL && hub->current != &hub->root ? hub->current : NULL;
}

void
hub_set_name(struct hub_coroutine *coroutine, const char *name)
{
	size_t length = strnlen(name, COROUTINE_NAME_SIZE - 1);

	memcpy(coroutine->name, name, length);
	coroutine->name[length] = '\0';
}

const char *
hub_name(const struct hub_coroutine *coroutine)
{
	return coroutine->name;
}
