/* The world: its clock, its draws, and what is going to happen. One at a time in a process; all
 * functions are for the thread that runs it, and none switches. */
#ifndef HUBBUB_SIM_WORLD_PRIV_H
#define HUBBUB_SIM_WORLD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"
#include "sim/world/draw_priv.h"
#include "sim/world/report_priv.h"
#include "sim/world/trouble_priv.h"

/* What the short functions below look at; world.c alone changes the options. */
extern struct world_core {
	struct hub_sim_options options;
	int64_t now;
	uint64_t state; /* of the draws */
	long process;   /* of the running fiber (fiber_priv.h), which alone changes it */
} world_core;

extern _Thread_local bool world_is_here __attribute__((tls_model("initial-exec")));

/* Begins a world in this thread; options NULL: all defaults. False if one exists. */
bool world_begin(uint64_t seed, const struct hub_sim_options *options);

/* Ends it, and writes the report. Returns whether nothing has failed. */
bool world_end(void);

/* Whether the caller's thread runs a world. */
static inline bool
world_exists(void)
{
	return world_is_here;
}

/* A new fiber, with thread-local variables of its own, is in the world, too. */
void world_enter(void);

static inline const struct hub_sim_options *
world_options(void)
{
	return &world_core.options;
}

/* ---- draws ---- */

/* A number below limit. */
static inline uint64_t
world_draw(uint64_t limit)
{
	return limit > 1 ? (uint64_t)((unsigned __int128)draw_next(&world_core.state) * limit >> 64)
			 : 0;
}

/* A number below 2 to the power of bits, of any magnitude. */
uint64_t world_draw_wide(unsigned bits);

/* Whether trouble happens now: once in so many draws, never if the rate is 0. The rate is a field
 * of world_options(), whose place tells the kind. */
#define world_chance(rate) (__builtin_expect((rate) != 0, 0) && world_meets(&(rate)))
bool world_meets(const unsigned *rate);

/* ---- time ---- */

/* CLOCK_MONOTONIC when a world begins: it is not born at 0. */
#define WORLD_BEGINNING INT64_C(1000000000000)

/* CLOCK_REALTIME when the world's clock is 0. */
#define WORLD_EPOCH INT64_C(1700000000000000000)

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline int64_t
world_now(void)
{
	return world_core.now;
}

/* Called at each look at the clock and call of the kernel. NULL: nobody waits for one. */
extern void (*world_watcher)(void);

/* Time passes: what a look at the clock, or a call of the kernel, takes. */
static inline void
world_tick(int64_t most)
{
	world_core.now += 1 + (int64_t)world_draw((uint64_t)most);
	if (__builtin_expect(world_watcher != NULL, 0))
		world_watcher();
}

/* happen(object) in so many nanoseconds. Happenings of the same time come in the order in which
 * they were said. Aborts without memory. */
void world_after(int64_t delay, void (*happen)(void *object), void *object);

/* Lets time pass until something happens, or until the limit (INT64_MAX: none), and lets all that
 * is due happen. Returns false if nothing can happen any more before the limit. */
bool world_pass(int64_t limit);

/* ---- a run that hangs ---- */

/* The run cannot end, and that is why: prints the report, with what dump writes to a descriptor,
 * and aborts. */
_Noreturn void world_give_up(const char *why, void (*dump)(int fd));

/* Something happens that no event tells: a timer, or that all coroutines wait. */
void world_moves(void);

/* Whether it is long that anything has happened but trouble. */
bool world_has_stalled(void);

/* Whether the world has lasted as long as it may. */
static inline bool
world_is_old(void)
{
	return world_core.now - WORLD_BEGINNING > world_core.options.longest;
}

#endif
