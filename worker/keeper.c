/* A keeper is not killed, but sees by the hub's commands that its function's time is over: so it is
 * there to wait for the function's end, and only then gives the lease back. All keepers are made
 * before the hub begins, since later there may be no memory. */
#include "worker/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "worker/call.h"
#include "worker/lease.h"

#define PAUSE_FIRST HUB_SECOND /* after a failure; doubles with each */
#define PAUSE_MOST (30 * HUB_SECOND)
/* How often to ask for a lease that another process has. */
#define LEASE_EVERY (250 * HUB_MILLISECOND)
#define NAME_SIZE 96

struct keeper {
	struct worker_thread *thread;
	const struct hubbub_background *background;
	bool is_running; /* the function */
	bool is_refused; /* by the kernel, not by another process; it was logged */
};

static bool
is_one_of_server(const struct keeper *keeper)
{
	return keeper->background->where == HUBBUB_ONE_OF_SERVER;
}

/* Whether the function is to end, or not to begin any more. */
static bool
is_over(const struct keeper *keeper)
{
	return is_one_of_server(keeper) ? thread_is_leaving(keeper->thread)
					: keeper->thread->has_served;
}

static int64_t
until_over(const void *keeper)
{
	return is_over(keeper) ? 0 : HUB_FOREVER;
}

/* Waits until the function is to end, nanoseconds at most. */
static void
rest(const struct keeper *keeper, int64_t nanoseconds)
{
	int64_t until = nanoseconds == HUB_FOREVER ? HUB_FOREVER : hub_now() + nanoseconds;

	while (!is_over(keeper) && hub_now() < until)
		if (thread_rest(keeper->thread,
			    until == HUB_FOREVER ? HUB_FOREVER : until - hub_now()) != 0)
			return;
}

/* "background compact of hub 1 of worker 0"; what a hub has not for itself names no hub. */
static const char *
name(const struct keeper *keeper, char text[static NAME_SIZE])
{
	const struct worker_thread *thread = keeper->thread;
	char hub[24] = "";

	if (keeper->background->where == HUBBUB_EACH_HUB)
		snprintf(hub, sizeof hub, " of hub %u", thread->index);
	snprintf(text, NAME_SIZE, "background %s%s of worker %u", keeper->background->name, hub,
		thread->heritage->index);
	return text;
}

/* Asks for the lease. That the kernel refuses to look is logged once. */
static bool
has_lease(struct keeper *keeper)
{
	char named[NAME_SIZE];

	if (lease_take(keeper->background->name))
		return true;
	if (errno != EAGAIN && errno != EACCES && !keeper->is_refused)
		log_warning("%s waits: its lease cannot be asked for: %s", name(keeper, named),
			strerror(errno));
	keeper->is_refused = errno != EAGAIN && errno != EACCES;
	return false;
}

/* Waits until the hub accepts, and the keeper has the lease if the function needs one. Returns
 * false if the function is not to begin any more. */
static bool
await_turn(struct keeper *keeper)
{
	struct worker_thread *thread = keeper->thread;

	while (!thread_is_leaving(thread)) {
		bool accepts = thread_is_commanded(thread, THREAD_ACCEPT);

		if (accepts && (!is_one_of_server(keeper) || has_lease(keeper)))
			return true;
		if (thread_rest(thread, accepts ? LEASE_EVERY : HUB_FOREVER) != 0)
			return false;
	}
	return false;
}

/* Calls the function until it has succeeded, or is to end. */
static void
call_again_and_again(struct keeper *keeper)
{
	struct worker_thread *thread = keeper->thread;
	struct call call = {.name = keeper->background->name,
		.function = keeper->background->run,
		.context = thread->heritage->context,
		.limit = {until_over, keeper, &thread->command}};
	int64_t pause = PAUSE_FIRST;
	char named[NAME_SIZE];

	for (;;) {
		int64_t began = hub_now();
		bool is_done;

		keeper->is_running = true;
		is_done = call_run(&call);
		keeper->is_running = false;
		if (is_done || is_over(keeper))
			return;
		if (hub_now() - began >= PAUSE_MOST)
			pause = PAUSE_FIRST;
		log_warning("%s: %s; calling it again in %g s", name(keeper, named), call.why,
			(double)pause / (double)HUB_SECOND);
		rest(keeper, pause);
		if (is_over(keeper))
			return;
		pause = 2 * pause < PAUSE_MOST ? 2 * pause : PAUSE_MOST;
	}
}

/* With the lease. */
static void
keep_one_of_server(struct keeper *keeper)
{
	char named[NAME_SIZE];

	log_info("%s begins, the only one of the server", name(keeper, named));
	call_again_and_again(keeper);
	/* What is done is not done again by another worker. */
	rest(keeper, HUB_FOREVER);
	lease_return(keeper->background->name);
}

static void *
keep(void *argument)
{
	struct keeper *keeper = argument;
	struct worker_thread *thread = keeper->thread;

	if (await_turn(keeper)) {
		if (is_one_of_server(keeper))
			keep_one_of_server(keeper);
		else
			call_again_and_again(keeper);
	}
	thread->keeping--;
	hub_event_set(&thread->command);
	return NULL;
}

/* ---- the keepers of a hub ---- */

static bool
start(struct keeper *keeper)
{
	struct hub_coroutine *coroutine = hub_spawn(keep, keeper);
	char named[64];

	if (coroutine == NULL)
		return false;
	snprintf(named, sizeof named, "keeper of %s", keeper->background->name);
	hub_set_name(coroutine, named);
	hub_detach(coroutine);
	keeper->thread->keeping++;
	return true;
}

bool
keeper_begin(struct worker_thread *thread)
{
	const struct hubbub_background *row = thread->heritage->background;
	size_t count = 0;

	while (row != NULL && row[count].name != NULL)
		count++;
	if (count == 0)
		return true;
	CHECK_WHY(thread->keepers == NULL, "a hub begins once");
	thread->keepers = calloc(count, sizeof *thread->keepers);
	for (; thread->keepers != NULL && row->name != NULL; row++) {
		struct keeper *keeper = &thread->keepers[thread->keeper_count];

		CHECK(thread->keeper_count < count);
		if (row->where != HUBBUB_EACH_HUB && thread->index != 0)
			continue;
		*keeper = (struct keeper){.thread = thread, .background = row};
		if (!start(keeper))
			break;
		thread->keeper_count++;
	}
	if (thread->keepers != NULL && row->name == NULL)
		return true;
	memo_fail(thread->heritage->memo, "no memory for background functions");
	return false;
}

static void
complain(const struct worker_thread *thread)
{
	char named[NAME_SIZE];

	for (unsigned i = 0; i < thread->keeper_count; i++)
		if (thread->keepers[i].is_running)
			log_warning(
				"%s has not returned in time", name(&thread->keepers[i], named));
}

void
keeper_end(struct worker_thread *thread)
{
	bool is_said = false;

	CHECK_WHY(thread->has_served, "until then they serve connections");
	while (thread->keeping > 0) {
		if (thread_is_commanded(thread, THREAD_STOP) && !is_said) {
			complain(thread);
			is_said = true;
		}
		if (thread_rest(thread, HUB_FOREVER) != 0)
			return;
	}
}

void
keeper_free(struct worker_thread *thread)
{
	free(thread->keepers);
	thread->keepers = NULL;
}
