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
	/* All but the epoch, which outlives the slot's owners. */
	arch_context_init(&coroutine->context, coroutine, coroutine);
	coroutine->hub = hub;
	coroutine->body = body;
	coroutine->argument = argument;
	coroutine->result = NULL;
	coroutine->parent = is_raw ? hub->current : NULL;
	coroutine->scope = NULL;
	coroutine->interrupt = 0;
	coroutine->is_raw = is_raw;
	coroutine->is_detached = false;
	coroutine->is_killed = false;
	coroutine->has_run = false;
	coroutine->waits_for = NULL;
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

/* A raw coroutine ends: its nearest ancestor that has not gets the result. */
static _Noreturn void
raw_end(struct hub *hub, struct hub_coroutine *self)
{
	struct hub_coroutine *heir = self->parent;

	self->state = COROUTINE_DONE;
	while (heir->state == COROUTINE_DONE)
		heir = heir->parent;
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
	if (self->is_raw) {
		self->result = self->body(value);
		raw_end(hub, self);
	}
	if (!self->is_killed)
		self->result = self->body(self->argument);
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

int
hub_join(struct hub_coroutine *coroutine, void **result)
{
	struct hub_coroutine *self = hub_enter();
	struct wait wait = {"join", coroutine, HUB_FOREVER, false};
	int reason = 0;

	if (self == NULL)
		return -1;
	CHECK_WHY(coroutine->hub == self->hub, "a coroutine is joined on another thread");
	if (coroutine == self)
		reason = EDEADLK;
	else if (coroutine->is_raw || coroutine->is_detached || coroutine->parent != NULL)
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
	if (coroutine->is_raw || coroutine->is_detached || coroutine->parent != NULL) {
		errno = EINVAL;
		return -1;
	}
	coroutine->is_detached = true;
	if (coroutine->state == COROUTINE_DONE)
		coroutine_free(coroutine);
	return 0;
}

int
hub_kill(struct hub_coroutine *coroutine)
{
	if (coroutine->is_raw) {
		errno = EINVAL;
		return -1;
	}
	CHECK_WHY(coroutine->hub == hub_this, "a coroutine is killed on another thread");
	coroutine->is_killed = true;
	coroutine->interrupt = ECANCELED;
	hub_wake(coroutine, coroutine->epoch, ECANCELED);
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
