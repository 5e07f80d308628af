/* Stacks of coroutines: slots of one size in an arena per hub, each with a guard below it.
 *
 *   low address                                                       high address
 *   | guard, 16 KiB | usable stack: 64 KiB by default            | struct stack |..|
 *                   ^ low                     frames grow down <-^              ^ colour gap
 *
 * - The owner's object (a coroutine) begins with struct stack and lives at the top of its slot, so
 *   that a coroutine costs one page and no allocation.
 * - Touching the guard raises SIGSEGV. Everything is built with -fstack-clash-protection, so that
 *   no frame, however large, steps over 16 KiB.
 * - Slot tops are shifted by multiples of a cache line ("coloured"): page-aligned tops would all
 *   compete for the same sets of the first-level cache.
 *
 * What becomes of the memory of slots that are not needed:
 *
 *   in use ---- put ----> idle ---- cool ----> cold ---- cool, all of a chunk ----> spent
 *     ^  its pages below    |  keeps its first   |  guard and page      page tables    |
 *     |  the first go back  |  page              |  tables are left     go, too        |
 *     +------ get ----------+------ made anew ---+-------------- mapped anew ----------+
 *
 * - Pages below the first go back when a coroutine ends, if a watermark or the stack pointer at a
 *   park tells that they were used. A frame's probes touch pages and change nothing that could be
 *   seen, so a sweep also gives back what lies below each stack that has begun since the last one,
 *   whether that is in use or free: nothing needs to be known of what touched it.
 * - Of the chunks, whichever was full last is used first, so that others become empty.
 * - Addresses stay the arena's until it ends, and what went back reads as zeros: whoever looks at a
 *   coroutine that is gone, in order to compare its epoch or its id, finds zeros, or what its
 *   slot's last owner left, or the present owner's. So an owner keeps 0 for "nobody", and begins,
 *   in an object that is all zeros, with numbers that no earlier owner of any slot had.
 *
 * Measured: mincore(2), which would tell what was touched, costs 1.0 us for a slot and 166 us for a
 * chunk of 1024, MADV_DONTNEED 0.6 to 0.8 us for a slot: so all that is suspect goes back, 256 in
 * one go. Guard markers keep 3 MB of page tables for 20 000 slots, which MADV_DONTNEED leaves: so
 * an empty chunk is mapped over. Sets of bits beside the chunk, instead of a list through the
 * slots' memory, took spawn and finish from 38 to 41 to 45 ns.
 *
 * One thread: the hub's. */
#ifndef HUBBUB_STACK_PRIV_H
#define HUBBUB_STACK_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/arena_priv.h"
#include "hub/stack.h"

/* stack_size is rounded up to pages; object_size is the owner's, struct stack included. */
void stack_arena_init(struct stack_arena *arena, size_t stack_size, size_t object_size);

/* Unmaps everything, but for the objects of slots in use, which stay for ever, and can only be
 * read: they are somebody's who has not given them back. None of the arena's stacks may be
 * running. */
void stack_arena_fini(struct stack_arena *arena);

/* Takes a slot. The object's bytes after struct stack are as its last owner left them, or zero.
 * Returns NULL with errno ENOMEM. */
struct stack *stack_get(struct stack_arena *arena);

/* Its owner begins to run on it: whatever that will use is swept. A sweep before would find
 * nothing, and not come again. */
void stack_begins(struct stack *stack);

/* Gives the slot back. The caller may still stand on that stack, if no slot is taken, and nothing
 * swept, before it leaves. */
void stack_put(struct stack_arena *arena, struct stack *stack);

/* The slow path of a park: notes that the stack is deep, or checks its canary. */
void stack_parked_low(struct stack *stack);

/* Calls visit for each slot that is in use, in no order; visit may put that slot, and others. */
void stack_arena_each(struct stack_arena *arena, void (*visit)(struct stack *stack, void *context),
	void *context);

/* Gives back the pages below the first, or below its frames, of each stack that has begun, or
 * parked deep, since it was last swept; of at most that many. parked_at tells the stack pointer of
 * one in use: none of them may be running. Returns whether some are left. */
bool stack_arena_sweep(struct stack_arena *arena,
	const void *(*parked_at)(const struct stack *stack), size_t most);

/* Gives back free slots, but for as many as, with those in use, make up keep; of at most that many
 * chunks. None of the arena's stacks may be running. Returns whether some are left. */
bool stack_arena_cool(struct stack_arena *arena, size_t keep, size_t most);

/* True if the address lies in the guard below the stack. Async-signal-safe. */
bool stack_guards(const struct stack *stack, const void *address);

#endif
