/* No wake is lost: whatever a coroutine waits for has not come yet, the coroutine is where a waker
 * will look, and whoever is in a queue of waiters waits there. And what the hub counts adds up. All
 * that is said of the hub's data alone, and of what the world knows better. */
#include "sim/invariants/invariants_priv.h"

#include <stdlib.h>

#include "hub/chance_priv.h"
#include "hub/coroutine.h"
#include "hub/io/signs_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/waiters_priv.h"
#include "sim/invariants/awaited_priv.h"
#include "sim/invariants/cases_priv.h"
#include "sim/kernel/file_priv.h"
#include "sim/machine/clock_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/machine/host_priv.h"
#include "sim/world/who_priv.h"
#include "sim/world/world_priv.h"

/* A timer may be so late, since libev's times are doubles. */
#define LATE_MOST (10 * CLOCK_MICROSECOND)

/* The first so many times that time passes all is looked at: most worlds are short. Later a look
 * waits until so many times have passed for each coroutine and descriptor: then looking takes a
 * hundredth of the instructions that an echo does (tests/sim/cost). */
#define LOOKS_AT_FIRST 200
#define TIMES_FOR_EACH 8
#define TIMES_FOR_ALL 512 /* and so many more */

/* A wait that scopes and kills do not end. */
struct shielded {
	const struct hub_coroutine *coroutine;
	uint32_t epoch;
};

static struct shielded *shielded; /* owned */
static size_t shielded_count, shielded_size;
static size_t looks;
static size_t times; /* since the last one */

/* What is counted in a look. */
struct count {
	const struct hub *hub;
	size_t coroutines, scheduled, loop_waits;
};

/* ---- waits ---- */

static bool
has_ended(const struct shielded *wait)
{
	return wait->coroutine->state != COROUTINE_WAITING || wait->coroutine->epoch != wait->epoch;
}

void
invariants_note_wait(const struct hub_coroutine *coroutine, const struct wait *wait)
{
	if (!wait->is_shielded)
		return;
	for (size_t i = 0; i < shielded_count;)
		if (has_ended(&shielded[i]))
			shielded[i] = shielded[--shielded_count];
		else
			i++;
	if (shielded_count == shielded_size) {
		shielded_size = shielded_size != 0 ? 2 * shielded_size : 16;
		shielded = realloc(shielded, shielded_size * sizeof *shielded);
		CHECK_WHY(shielded != NULL, "no memory for a simulated world");
	}
	shielded[shielded_count++] = (struct shielded){coroutine, coroutine->epoch};
}

static bool
is_shielded(const struct hub_coroutine *coroutine)
{
	for (size_t i = 0; i < shielded_count; i++)
		if (shielded[i].coroutine == coroutine && !has_ended(&shielded[i]))
			return true;
	return false;
}

/* The wait ends when its deadline passes, and when the coroutine is killed. */
static void
look_at_time(const struct hub_coroutine *coroutine)
{
	int64_t now = clock_monotonic(host_clock(fiber_host())), late = now - coroutine->deadline;

	if (coroutine->deadline != HUB_FOREVER && late > LATE_MOST)
		world_fail("%s still waits for %s, %.6f s after its deadline", name_of(coroutine),
			coroutine->waits_for, clock_seconds(late));
	if (coroutine->deadline != HUB_FOREVER && !ev_is_active(&coroutine->timer))
		world_fail("%s waits for %s with a deadline, and has no timer", name_of(coroutine),
			coroutine->waits_for);
	if (is_shielded(coroutine))
		return;
	if (coroutine->scope != NULL && coroutine->scope->earliest < coroutine->deadline)
		world_fail("%s waits for %s longer than a scope around it allows",
			name_of(coroutine), coroutine->waits_for);
	/* A deadline that has just passed is the timer's, within the time above. */
	if (coroutine_interrupted(coroutine) != 0 && late < 0)
		world_fail("%s waits for %s, and was killed, or a scope of it has expired",
			name_of(coroutine), coroutine->waits_for);
}

static void
visit(struct stack *stack, void *context)
{
	const struct hub_coroutine *coroutine = (const struct hub_coroutine *)(void *)stack;
	struct count *count = context;

	count->coroutines++;
	count->scheduled += !coroutine->is_raw && coroutine->state != COROUTINE_DONE;
	if (coroutine->state == COROUTINE_READY)
		world_fail("%s is runnable, and in no queue", name_of(coroutine));
	if (coroutine->state == COROUTINE_RUNNING && coroutine != count->hub->current)
		world_fail("%s runs beside another", name_of(coroutine));
	if (coroutine->state != COROUTINE_WAITING)
		return;
	count->loop_waits += coroutine->is_loop_wait;
	look_at_time(coroutine);
	awaited_look_at(coroutine, coroutine->waits_for, coroutine->waits_on);
	cases_look(coroutine);
}

/* ---- descriptors ---- */

static void
look_at_direction(
	const struct hub_fd *entry, const struct hub_waiter *first, short ready, const char *what)
{
	const struct file *file = files_get(entry->read.fd);

	awaited_look_at_queue(first, what);
	/* A number that was closed or used again behind the hub's back is for the sweep. */
	if (first == NULL || file == NULL || (entry->is_known && entry->inode != file->inode))
		return;
	if (file->kind->ready(file) & (ready | POLLHUP | POLLERR))
		world_fail("%s waits for %s of descriptor %d, which is ready",
			name_of(first->coroutine), what, entry->read.fd);
}

static void
look_at_descriptors(const struct hub *hub)
{
	for (unsigned fd = 0; fd < hub->fds.size; fd++) {
		const struct hub_fd *entry;

		if (hub->fds.chunks[fd >> FD_CHUNK_BITS].open == 0) {
			fd |= FD_CHUNK - 1;
			continue;
		}
		entry = fd_entry(hub, (int)fd);
		if (entry->generation == 0)
			continue;
		if (entry->input_has_ended && entry->readers != NULL)
			world_fail("%s waits for input of descriptor %u, which has ended",
				name_of(entry->readers->coroutine), fd);
		look_at_direction(entry, entry->readers, POLLIN, "input");
		look_at_direction(entry, entry->writers, POLLOUT, "output");
		awaited_look_at_queue(signs_first(hub, entry), "signs");
	}
}

/* ---- a hub ---- */

void
invariants_look_at_all(void)
{
	struct hub *hub = hub_this;
	struct count count = {.hub = hub};

	if (hub->ready_first != NULL)
		return;
	stack_arena_each(&hub->arena, visit, &count);
	look_at_descriptors(hub);
	if (hub->appended != hub->taken)
		world_fail("%ld coroutines were made runnable, and did not run",
			(long)(hub->appended - hub->taken));
	if (count.loop_waits != hub->loop_waits)
		world_fail("%zu waits are the loop's, and the hub counts %zu", count.loop_waits,
			hub->loop_waits);
	if (count.scheduled != hub->scheduled)
		world_fail("%zu coroutines have not ended, and the hub counts %zu", count.scheduled,
			hub->scheduled);
	if (count.coroutines != hub->arena.used)
		world_fail("%zu coroutines have a stack, and the hub counts %zu", count.coroutines,
			hub->arena.used);
}

void
invariants_look(void)
{
	size_t objects = hub_this->arena.used + hub_this->fds.size / FD_CHUNK;

	if (looks++ >= LOOKS_AT_FIRST && times++ < TIMES_FOR_ALL + TIMES_FOR_EACH * objects)
		return;
	times = 0;
	invariants_look_at_all();
}

static void
visit_left(struct stack *stack, void *context)
{
	const struct hub_coroutine *coroutine = (const struct hub_coroutine *)(void *)stack;

	(void)context;
	world_fail("%s is left at the end: it was never freed", name_of(coroutine));
}

void
invariants_forget(const struct hub *hub)
{
	for (size_t i = 0; i < shielded_count;)
		if (shielded[i].coroutine->hub == hub)
			shielded[i] = shielded[--shielded_count];
		else
			i++;
}

void
invariants_hub_ends(void)
{
	if (hub_this == NULL)
		return;
	stack_arena_each(&hub_this->arena, visit_left, NULL);
	invariants_forget(hub_this);
}

void
invariants_end(void)
{
	free(shielded);
	shielded = NULL;
	shielded_count = shielded_size = looks = times = 0;
}
