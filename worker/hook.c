/* A hook that does not end when it is killed holds its hub, until the master kills the worker. */
#include "worker/hook.h"

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

static hubbub_hook *
find(const struct worker_thread *thread, enum memo_hook hook)
{
	const char *hooks = (const char *)&thread->heritage->hooks;

	return *(hubbub_hook *const *)(const void *)(hooks + places[hook]);
}

/* Calls the hook, if the service has it. Returns whether it has succeeded; why gets its text, or ""
 * if it was killed. */
static bool
run(const struct worker_thread *thread, enum memo_hook hook, struct call_limit limit,
	char why[static MEMO_WHY_SIZE])
{
	struct worker_memo *memo = thread->heritage->memo;
	struct call call = {.name = memo_hook_names[hook],
		.function = find(thread, hook),
		.context = thread->heritage->context,
		.limit = limit};
	bool has_succeeded;

	if (call.function == NULL)
		return true;
	memo_enter(memo, hook);
	has_succeeded = call_run(&call);
	memo_leave(memo, hook);
	memcpy(why, call.why, sizeof call.why);
	return has_succeeded;
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
hook_start(struct worker_thread *thread, enum memo_hook hook, struct call_limit limit)
{
	char why[MEMO_WHY_SIZE], named[64];

	DCHECK(thread_is_here(thread));
	if (run(thread, hook, limit, why))
		return true;
	if (why[0] != '\0')
		memo_fail(thread->heritage->memo, "%s: %s", name(thread, hook, named), why);
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
hook_stop(struct worker_thread *thread, enum memo_hook hook, struct call_limit limit)
{
	char why[MEMO_WHY_SIZE];

	DCHECK(thread_is_here(thread));
	if (!run(thread, hook, limit, why))
		complain_of(thread, hook, why);
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

static void *
run_draining(void *argument)
{
	struct worker_thread *thread = argument;
	const char *why;

	if (hub_event_wait(&thread->draining) != 0 || !thread->has_begun)
		return NULL;
	memo_enter(thread->heritage->memo, MEMO_DRAINING);
	why = find(thread, MEMO_DRAINING)(thread->heritage->context);
	thread_check_return();
	if (why != NULL)
		complain_of(thread, MEMO_DRAINING, call_reason(why));
	memo_leave(thread->heritage->memo, MEMO_DRAINING);
	return NULL;
}

/* Makes the coroutine in which draining will run: later there may be no memory. */
static bool
prepare_draining(struct worker_thread *thread)
{
	struct hub_coroutine *waiter;

	if (find(thread, MEMO_DRAINING) == NULL)
		return true;
	waiter = hub_pool_spawn(&thread->own, run_draining, thread);
	if (waiter != NULL)
		hub_set_name(waiter, memo_hook_names[MEMO_DRAINING]);
	else
		memo_fail(thread->heritage->memo, "no memory for a coroutine");
	return waiter != NULL;
}

bool
hook_begin_hub(struct worker_thread *thread)
{
	struct call_limit limit = {until_it_leaves, thread, &thread->command};

	CHECK_WHY(!thread->has_begun, "a hub begins once");
	/* Last hub_start: if it has succeeded, hub_stop will run. */
	return prepare_draining(thread) && hook_start(thread, MEMO_HUB_START, limit);
}

void
hook_end_hub(struct worker_thread *thread)
{
	struct call_limit limit = {until_it_stops, thread, &thread->command};

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
