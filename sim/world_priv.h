/* The world: its clock, its draws, and what is going to happen. One at a time in a process; all
 * functions are for the thread that runs it, and none switches. */
#ifndef HUBBUB_SIM_WORLD_PRIV_H
#define HUBBUB_SIM_WORLD_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

/* Begins a world in this thread; options NULL: all defaults. False if one exists. */
bool world_begin(uint64_t seed, const struct hub_sim_options *options);

/* Ends it, and writes the report. Returns whether nothing has failed. */
bool world_end(void);

/* Whether the caller's thread runs a world. */
bool world_exists(void);

/* A new fiber, with thread-local variables of its own, is in the world, too. */
void world_enter(void);

const struct hub_sim_options *world_options(void);

/* ---- draws ---- */

/* A number below limit. */
uint64_t world_draw(uint64_t limit);

/* A number below 2 to the power of bits, of any magnitude. */
uint64_t world_draw_wide(unsigned bits);

/* Whether that trouble happens now: once in rate draws; never if rate is 0. */
bool world_chance(unsigned rate);

/* ---- time ---- */

/* CLOCK_REALTIME when the world's clock is 0. */
#define WORLD_EPOCH INT64_C(1700000000000000000)

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t world_now(void);

/* Time passes: what a look at the clock, or a call of the kernel, takes. */
void world_tick(int64_t most);

/* happen(object) in so many nanoseconds. Happenings of the same time come in the order in which
 * they were said. Aborts without memory. */
void world_after(int64_t delay, void (*happen)(void *object), void *object);

/* Lets time pass until something happens, or until the limit (INT64_MAX: none), and lets all that
 * is due happen. Returns false if nothing can happen any more before the limit. */
bool world_pass(int64_t limit);

/* ---- what was seen ---- */

/* Notes an event for the report, and in the trace; what is a literal of printf with at most three
 * longs. */
void world_note(const char *what, long a, long b, long c);

/* Bytes that count in the trace. */
void world_see(const void *bytes, size_t length);

/* The run cannot end, and that is why: prints the report. */
void world_tell_why(const char *why);

/* Whether the world has lasted as long as it may. */
bool world_is_old(void);

/* The run has failed: notes why, for the report. Only the first reason counts. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
