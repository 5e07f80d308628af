/* Time and chance. The clock moves only here: a little at each look and each call of the kernel, so
 * that whoever waits for the clock in a loop gets there, and in world_pass to what happens next.
 * What is going to happen lies in a heap, by time and then by the order in which it was said. */
#include "sim/world_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/scheduler.h"
#include "sim/draw_priv.h"

#define EVENTS_TOLD 50
#define BEGINNING (1000 * HUB_SECOND) /* of the clock: a world is not born at 0 */
#define DELAY_DEFAULT HUB_MILLISECOND
#define FILES_DEFAULT 1024
#define LONGEST_DEFAULT (365 * 24 * 3600 * HUB_SECOND)

struct happening {
	int64_t at;
	uint64_t order;
	void (*happen)(void *object);
	void *object;
};

struct event {
	int64_t at;
	const char *what;
	long numbers[3];
};

static struct {
	bool exists;
	uint64_t seed;
	uint64_t state; /* of the draws */
	struct hub_sim_options options;
	int64_t now;
	struct happening *heap; /* the earliest first; owned */
	size_t count, size;
	uint64_t said; /* happenings ever */
	uint64_t trace;
	struct event events[EVENTS_TOLD]; /* a ring */
	uint64_t noted;
	char failure[256]; /* empty: none */
} world;

static char report[8192];

/* Whether this thread runs the world: others, such as a test framework's, stay in the real one. */
static _Thread_local bool is_here;

bool
world_exists(void)
{
	return is_here;
}

void
world_enter(void)
{
	is_here = true;
}

const struct hub_sim_options *
world_options(void)
{
	return &world.options;
}

/* ---- draws ---- */

uint64_t
world_draw(uint64_t limit)
{
	return limit > 1 ? (uint64_t)((unsigned __int128)draw_next(&world.state) * limit >> 64) : 0;
}

uint64_t
world_draw_wide(unsigned bits)
{
	return world_draw(UINT64_C(1) << world_draw(bits + 1));
}

bool
world_chance(unsigned rate)
{
	return rate != 0 && world_draw(rate) == 0;
}

uint64_t
hub_sim_draw(uint64_t limit)
{
	return is_here ? world_draw(limit) : 0;
}

/* ---- time ---- */

int64_t
world_now(void)
{
	return world.now;
}

void
world_tick(int64_t most)
{
	world.now += 1 + (int64_t)world_draw((uint64_t)most);
}

static bool
is_before(const struct happening *one, const struct happening *other)
{
	return one->at != other->at ? one->at < other->at : one->order < other->order;
}

static void
swap(size_t one, size_t other)
{
	struct happening kept = world.heap[one];

	world.heap[one] = world.heap[other];
	world.heap[other] = kept;
}

void
world_after(int64_t delay, void (*happen)(void *object), void *object)
{
	size_t at = world.count++;

	if (world.count > world.size) {
		world.size = world.size != 0 ? 2 * world.size : 64;
		world.heap = realloc(world.heap, world.size * sizeof *world.heap);
		CHECK_WHY(world.heap != NULL, "no memory for a simulated world");
	}
	world.heap[at] = (struct happening){world.now + delay, world.said++, happen, object};
	for (; at > 0 && is_before(&world.heap[at], &world.heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(at, (at - 1) / 2);
}

static struct happening
take_first(void)
{
	struct happening first = world.heap[0];

	world.heap[0] = world.heap[--world.count];
	for (size_t at = 0, next; (next = 2 * at + 1) < world.count; at = next) {
		if (next + 1 < world.count && is_before(&world.heap[next + 1], &world.heap[next]))
			next++;
		if (!is_before(&world.heap[next], &world.heap[at]))
			break;
		swap(at, next);
	}
	return first;
}

bool
world_pass(int64_t limit)
{
	int64_t next = world.count != 0 ? world.heap[0].at : INT64_MAX;

	if (next == INT64_MAX && limit == INT64_MAX)
		return false;
	if (next > limit)
		next = limit;
	if (next > world.now)
		world.now = next;
	while (world.count != 0 && world.heap[0].at <= world.now) {
		struct happening first = take_first();

		first.happen(first.object);
	}
	return true;
}

/* ---- what was seen ---- */

static void
mix_word(uint64_t word)
{
	world.trace = (world.trace ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	world.trace ^= world.trace >> 32;
}

void
world_see(const void *bytes, size_t length)
{
	const char *at = bytes;
	uint64_t word = 0;

	mix_word(length);
	for (; length >= sizeof word; at += sizeof word, length -= sizeof word) {
		memcpy(&word, at, sizeof word);
		mix_word(word);
	}
	word = 0;
	memcpy(&word, at, length);
	mix_word(word);
}

void
world_note(const char *what, long a, long b, long c)
{
	struct event *event = &world.events[world.noted++ % EVENTS_TOLD];

	*event = (struct event){world.now, what, {a, b, c}};
	/* Texts count by their characters: addresses differ from run to run. */
	world_see(what, strlen(what));
	mix_word((uint64_t)event->at);
	for (int i = 0; i < 3; i++)
		mix_word((uint64_t)event->numbers[i]);
}

void
world_fail(const char *format, ...)
{
	va_list arguments;

	if (world.failure[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(world.failure, sizeof world.failure, format, arguments);
	va_end(arguments);
	world_note("failed", 0, 0, 0);
}

uint64_t
hub_sim_trace(void)
{
	return world.trace;
}

const char *
hub_sim_report(void)
{
	return report;
}

static void
write_report(void)
{
	uint64_t first = world.noted > EVENTS_TOLD ? world.noted - EVENTS_TOLD : 0;
	size_t used = (size_t)snprintf(report, sizeof report, "seed %llu: %s\n",
		(unsigned long long)world.seed,
		world.failure[0] != '\0' ? world.failure : "nothing was found");

	for (uint64_t i = first; i < world.noted && used < sizeof report; i++) {
		const struct event *event = &world.events[i % EVENTS_TOLD];
		char what[128];

		/* The literal is this library's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(what, sizeof what, event->what, event->numbers[0], event->numbers[1],
			event->numbers[2]);
#pragma GCC diagnostic pop
		used += (size_t)snprintf(report + used, sizeof report - used, "%12.6f  %s\n",
			(double)(event->at - BEGINNING) / (double)HUB_SECOND, what);
	}
}

void
world_tell_why(const char *why)
{
	world_fail("%s", why);
	write_report();
	kernel_dprintf(STDERR_FILENO, "%s", report);
}

bool
world_is_old(void)
{
	return world.now - BEGINNING > world.options.longest;
}

/* ---- its life ---- */

bool
world_begin(uint64_t seed, const struct hub_sim_options *options)
{
	if (world.exists)
		return false;
	memset(&world, 0, sizeof world);
	world.exists = is_here = true;
	world.seed = world.state = seed;
	world.trace = UINT64_C(0xcbf29ce484222325);
	world.now = BEGINNING;
	if (options != NULL)
		world.options = *options;
	if (world.options.delay == 0)
		world.options.delay = DELAY_DEFAULT;
	if (world.options.files == 0)
		world.options.files = FILES_DEFAULT;
	if (world.options.longest == 0)
		world.options.longest = LONGEST_DEFAULT;
	return true;
}

bool
world_end(void)
{
	mix_word(world.state);
	write_report();
	free(world.heap);
	world.heap = NULL;
	world.exists = is_here = false;
	return world.failure[0] == '\0';
}
