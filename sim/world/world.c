/* Time and chance. The clock moves only here: a little at each look and each call of the kernel, so
 * that whoever waits for the clock in a loop gets there, and in world_pass to what happens next.
 * What is going to happen lies in a heap, by time and then by the order in which it was said. */
#include "sim/world/world_priv.h"

#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/scheduler.h"
#include "sim/world/draw_priv.h"
#include "sim/world/report_priv.h"

#define DELAY_DEFAULT HUB_MILLISECOND
#define FILES_DEFAULT 1024
#define LONGEST_DEFAULT (7 * 24 * 3600 * HUB_SECOND)
#define BUSY_MOST (10 * HUB_SECOND)

struct happening {
	int64_t at;
	uint64_t order;
	void (*happen)(void *object);
	void *object;
};

static struct {
	bool exists;
	struct happening *heap; /* the earliest first; owned */
	size_t count, size;
	uint64_t said;   /* happenings ever */
	uint64_t events; /* when a loop last looked */
	int64_t moved;   /* when something has happened */
} world;

struct world_core world_core;
void (*world_watcher)(void);

/* Others than the thread that runs the world, such as a test framework's, stay in the real one. */
_Thread_local bool world_is_here;

void
world_enter(void)
{
	world_is_here = true;
}

/* ---- draws ---- */

uint64_t
world_draw_wide(unsigned bits)
{
	return world_draw(UINT64_C(1) << world_draw(bits + 1));
}

bool
world_meets(const unsigned *rate)
{
	const char *trouble = trouble_drawn(rate, report_age());

	if (trouble != NULL)
		world_note(trouble, 0, 0, 0);
	return trouble != NULL;
}

uint64_t
hub_sim_draw(uint64_t limit)
{
	return world_is_here ? world_draw(limit) : 0;
}

/* ---- time ---- */

static inline bool
is_before(const struct happening *one, const struct happening *other)
{
	return one->at != other->at ? one->at < other->at : one->order < other->order;
}

/* Puts it into the heap, at that place or above. */
static inline void
rise(struct happening *heap, size_t at, const struct happening *rising)
{
	for (; at > 0 && is_before(rising, &heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = *rising;
}

void
world_after(int64_t delay, void (*happen)(void *object), void *object)
{
	struct happening added = {world_core.now + delay, world.said++, happen, object};

	if (world.count == world.size) {
		world.size = world.size != 0 ? 2 * world.size : 64;
		world.heap = realloc(world.heap, world.size * sizeof *world.heap);
		CHECK_WHY(world.heap != NULL, "no memory for a simulated world");
	}
	rise(world.heap, world.count++, &added);
}

/* The gap goes down to the bottom, near which the last one nearly always belongs; that one lies
 * behind the others still, and may go up with them. */
static struct happening
take_first(void)
{
	struct happening *heap = world.heap, first = heap[0];
	size_t last = --world.count, at = 0, next;

	for (; (next = 2 * at + 1) < last; at = next) {
		next += is_before(&heap[next + 1], &heap[next]);
		heap[at] = heap[next];
	}
	rise(heap, at, &heap[last]);
	return first;
}

/* All that is due. */
static __attribute__((noinline)) void
let_happen(void)
{
	while (world.count != 0 && world.heap[0].at <= world_core.now) {
		struct happening first = take_first();

		first.happen(first.object);
	}
}

bool
world_pass(int64_t limit)
{
	int64_t next = world.count != 0 ? world.heap[0].at : INT64_MAX;

	if (next == INT64_MAX && limit == INT64_MAX)
		return false;
	if (next > limit)
		next = limit;
	if (next > world_core.now)
		world_core.now = next;
	if (world.count != 0 && world.heap[0].at <= world_core.now)
		let_happen();
	return true;
}

/* ---- its life ---- */

void
hub_sim_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (world_is_here)
		report_fail(format, arguments);
	va_end(arguments);
}

bool
hub_sim_check(bool is_right, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (world_is_here && !is_right)
		report_fail(format, arguments);
	va_end(arguments);
	return is_right;
}

void
hub_sim_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (world_is_here)
		report_note(format, arguments);
	va_end(arguments);
}

void
world_give_up(const char *why, void (*dump)(int fd))
{
	world_fail("%s", why);
	report_dump(dump);
	world.exists = world_is_here = false;
	report_end();
	if (!report_is_elsewhere())
		kernel_dprintf(STDERR_FILENO, "%s", hub_sim_report());
	abort();
}

void
world_moves(void)
{
	world.moved = world_core.now;
}

bool
world_has_stalled(void)
{
	uint64_t events = report_events();

	if (events != world.events)
		world_moves();
	world.events = events;
	return world_core.now - world.moved > BUSY_MOST;
}

bool
world_begin(uint64_t seed, const struct hub_sim_options *options)
{
	if (world.exists)
		return false;
	memset(&world, 0, sizeof world);
	world_core = (struct world_core){0};
	world.exists = world_is_here = true;
	world_core.state = seed;
	world_core.now = world.moved = WORLD_BEGINNING;
	if (options != NULL)
		world_core.options = *options;
	if (world_core.options.delay == 0)
		world_core.options.delay = DELAY_DEFAULT;
	if (world_core.options.files == 0)
		world_core.options.files = FILES_DEFAULT;
	if (world_core.options.longest == 0)
		world_core.options.longest = LONGEST_DEFAULT;
	report_begin(seed, &world_core.now);
	troubles_begin(seed, &world_core.options, report_troubles());
	return true;
}

bool
world_end(void)
{
	world_see(&world_core.state, sizeof world_core.state);
	free(world.heap);
	world.heap = NULL;
	world.exists = world_is_here = false;
	report_end();
	return !world_has_failed();
}
