/* A hook's text is copied before its coroutine ends, because the hook may have formatted it in
 * memory of its own thread. A hook that does not end when it is killed holds its hub, until the
 * master kills the worker. */
#include "worker/hook.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/log.h"

/* How often to look whether the service's own coroutines have ended. */
#define LOOK_EVERY (10 * HUB_MILLISECOND)

static const size_t places[MEMO_HOOK_MAX] = {
	[MEMO_WORKER_START] = offsetof(struct hubbub_hooks, worker_start),
	[MEMO_HUB_START] = offsetof(struct hubbub_hooks, hub_start),
	[MEMO_RELOADED] = offsetof(struct hubbub_hooks, reloaded),
	[MEMO_DRAINING] = offsetof(struct hubbub_hooks, draining),
	[MEMO_HUB_STOP] = offsetof(struct hubbub_hooks, hub_stop),
	[MEMO_WORKER_STOP] = offsetof(struct hubbub_hooks, worker_stop),
};

/* One run of a hook; lies on the stack of the coroutine that waits for it. */
struct run {
	struct worker_thread *thread;
	enum memo_hook hook;
	struct hub_event *changed;
	bool has_returned;
	char why[MEMO_WHY_SIZE]; /* "" if it has succeeded */
};

static hubbub_hook *
find(const struct worker_thread *thread, enum memo_hook hook)
{
	const char *hooks = (const char *)&thread->heritage->hooks;

	return *(hubbub_hook *const *)(const void *)(hooks + places[hook]);
}

/* Calls the hook in the running coroutine; why gets its text, or "". */
static void
call(const struct worker_thread *thread, enum memo_hook hook, char why[static MEMO_WHY_SIZE])
{
	struct worker_memo *memo = thread->heritage->memo;
	const char *text;

	memo_enter(memo, hook);
	text = find(thread, hook)(thread->heritage->context);
	snprintf(why, MEMO_WHY_SIZE, "%s", text != NULL ? text : "");
	memo_leave(memo, hook);
}

static void *
run_hook(void *argument)
{
	struct run *run = argument;

	call(run->thread, run->hook, run->why);
	run->has_returned = true;
	hub_event_set(run->changed);
	return NULL;
}

static void
await_return(const struct run *run, struct hook_limit limit)
{
	while (!run->has_returned) {
		int64_t until = limit.until(limit.context);
		struct hub_timeout scope;
		int result;

		if (until <= hub_now())
			return;
		hub_event_clear(run->changed);
		hub_timeout_start(&scope, until == HUB_FOREVER ? HUB_FOREVER : until - hub_now());
		result = hub_event_wait(run->changed);
		hub_timeout_stop(&scope);
		if (result != 0 && errno == ECANCELED)
			return;
	}
}

/* Returns whether the hook has succeeded, and otherwise its text: "" if it was killed. */
static bool
run_until(struct run *run, struct hook_limit limit)
{
	struct hub_coroutine *coroutine;
	bool is_killed;

	if (find(run->thread, run->hook) == NULL)
		return true;
	if (limit.until(limit.context) <= hub_now())
		return false;
	coroutine = hub_spawn(run_hook, run);
	if (coroutine == NULL) {
		snprintf(run->why, sizeof run->why, "no memory");
		return false;
	}
	hub_set_name(coroutine, memo_hook_names[run->hook]);
	await_return(run, limit);
	is_killed = !run->has_returned;
	if (is_killed)
		hub_kill(coroutine);
	hub_join(coroutine, NULL);
	if (is_killed)
		run->why[0] = '\0';
	return !is_killed && run->why[0] == '\0';
}

/* "hub_start of hub 1 of worker 0"; hooks of the worker name no hub. */
static const char *
name(const struct worker_thread *thread, enum memo_hook hook, char text[static 64])
{
	bool is_of_hub = hook == MEMO_HUB_START || hook == MEMO_DRAINING || hook == MEMO_HUB_STOP;
	char hub[24] = "";

	if (is_of_hub)
		snprintf(hub, sizeof hub, " of hub %u", thread->index);
	snprintf(
		text, 64, "%s%s of worker %u", memo_hook_names[hook], hub, thread->heritage->index);
	return text;
}

bool
hook_start(struct worker_thread *thread, enum memo_hook hook, struct hook_limit limit)
{
	struct run run = {.thread = thread, .hook = hook, .changed = limit.changed};
	char named[64];

	DCHECK(thread_is_here(thread));
	if (run_until(&run, limit))
		return true;
	if (run.why[0] != '\0')
		memo_fail(thread->heritage->memo, "%s: %s", name(thread, hook, named), run.why);
	return false;
}

/* Logs how a hook at the end has failed. */
static void
complain_of(const struct worker_thread *thread, enum memo_hook hook, const char *why)
{
	char named[64];

	log_warning("%s: %s", name(thread, hook, named),
		why[0] != '\0' ? why : "has not returned in time");
}

void
hook_stop(struct worker_thread *thread, enum memo_hook hook, struct hook_limit limit)
{
	struct run run = {.thread = thread, .hook = hook, .changed = limit.changed};

	DCHECK(thread_is_here(thread));
	if (!run_until(&run, limit))
		complain_of(thread, hook, run.why);
}

/* ---- a hub's hooks ---- */

static int64_t
until_it_leaves(const void *thread)
{
	return thread_is_leaving(thread) ? 0 : HUB_FOREVER;
}

static int64_t
until_it_stops(const void *thread)
{
	return thread_is_commanded(thread, THREAD_STOP) ? 0 : HUB_FOREVER;
}

/* Made early, as the drain's own coroutine: later there may be no memory. */
static void *
run_draining(void *argument)
{
	struct worker_thread *thread = argument;
	char why[MEMO_WHY_SIZE];

	if (hub_event_wait(&thread->draining) != 0)
		return NULL;
	call(thread, MEMO_DRAINING, why);
	if (why[0] != '\0')
		complain_of(thread, MEMO_DRAINING, why);
	return NULL;
}

bool
hook_begin_hub(struct worker_thread *thread)
{
	struct hook_limit limit = {until_it_leaves, thread, &thread->command};
	struct hub_coroutine *waiter;

	CHECK_WHY(!thread->has_begun, "a hub begins once");
	if (!hook_start(thread, MEMO_HUB_START, limit))
		return false;
	if (find(thread, MEMO_DRAINING) == NULL)
		return true;
	waiter = hub_pool_spawn(&thread->own, run_draining, thread);
	if (waiter != NULL)
		hub_set_name(waiter, memo_hook_names[MEMO_DRAINING]);
	else
		memo_fail(thread->heritage->memo, "no memory for a coroutine");
	return waiter != NULL;
}

void
hook_end_hub(struct worker_thread *thread)
{
	struct hook_limit limit = {until_it_stops, thread, &thread->command};

	CHECK_WHY(thread_is_leaving(thread), "the service's coroutines last as long as it serves");
	hub_pool_kill(&thread->pool);
	hub_pool_kill(&thread->own);
	while (hub_pool_count(&thread->pool) + hub_pool_count(&thread->own) > 0 &&
		!thread_is_commanded(thread, THREAD_STOP))
		if (hub_sleep(LOOK_EVERY) != 0)
			return;
	if (thread->has_begun)
		hook_stop(thread, MEMO_HUB_STOP, limit);
}

const char *
hubbub_why(const char *format, ...)
{
	static _Thread_local char text[MEMO_WHY_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return text;
}
