/* Stacks of coroutines: slots of one size in an arena per hub, each with a guard below it.
 *
 *   low address                                                       high address
 *   | guard, 16 KiB | usable stack: 64 KiB by default            | struct stack |..|
 *                   ^ low                     frames grow down <-^              ^ colour gap
 *
 * - The owner's object (a coroutine) begins with struct stack and lies at the top of its slot, so a
 *   coroutine costs one page and no allocation.
 * - Touching the guard raises SIGSEGV. Everything is built with -fstack-clash-protection, so no
 *   frame, however large, steps over 16 KiB.
 * - Slot tops are shifted by multiples of a cache line ("coloured"): page-aligned tops would all
 *   compete for the same sets of the first-level cache.
 *
 * The memory of slots that are not in use:
 *
 *   in use ---- put ----> idle ---- cool ----> cold ---- cool, all of a chunk ----> spent
 *     ^  its pages below    |  keeps its first   |  guard and page      page tables    |
 *     |  the first go back  |  page              |  tables are left     go, too        |
 *     +------ get ----------+------ made anew ---+-------------- mapped anew ----------+
 *
 * - Pages below the first are given back when a coroutine ends, if a watermark or the stack pointer
 *   at a park shows that they were used. The probes of a large frame touch pages without changing a
 *   byte, so a sweep also gives back the pages below each stack that was begun since the last
 *   sweep, whether it is in use or free.
 * - Of the chunks with idle slots the one that was full last is used first, so that others become
 *   empty.
 * - Addresses stay the arena's until it ends, and memory that was given back reads as zeros. A
 *   reader that compares the epoch or id of a coroutine that is gone finds zeros, or the numbers of
 *   the slot's last owner, or those of its present owner. So an owner keeps 0 for "none", and
 *   begins, in an object that is all zeros, with numbers that no earlier owner of any slot had.
 *
 * Measured: mincore(2), which would tell which pages were touched, costs 1.0 us for a slot and 166
 * us for a chunk of 1024; MADV_DONTNEED costs 0.6 to 0.8 us for a slot: so every suspect slot is
 * given back, 256 at a time. Guard markers keep 3 MB of page tables for 20,000 slots, which
 * MADV_DONTNEED leaves: so an empty chunk is mapped over. Sets of bits beside the chunk, instead of
 * a list through the slots' memory, raised spawn and finish from 38 to between 41 and 45 ns.
 *
 * Thread: the hub's alone. */
#ifndef HUBBUB_STACK_PRIV_H
#define HUBBUB_STACK_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/arena_priv.h"
#include "hub/stack.h"

/* Makes an empty arena. stack_size is rounded up to pages; object_size is the size of the owner's
 * object, struct stack included. */
void stack_arena_init(struct stack_arena *arena, size_t stack_size, size_t object_size);

/* Unmaps everything except the objects of slots in use, which stay readable for ever: they belong
 * to owners that have not put them. No stack of the arena may be running. */
void stack_arena_fini(struct stack_arena *arena);

/* Takes a slot. The object's bytes after struct stack are zero, or as its last owner left them.
 * Returns NULL with errno ENOMEM. */
struct stack *stack_get(struct stack_arena *arena);

/* The owner is about to run on the stack for the first time. From here on the sweep counts it: an
 * earlier sweep would find nothing, and not look again. */
void stack_begins(struct stack *stack);

/* Gives the slot back. The caller may still run on that stack, if it takes no slot and nothing is
 * swept before it leaves. */
void stack_put(struct stack_arena *arena, struct stack *stack);

/* The slow path of a park: records that the stack is deep, or checks its canary. */
void stack_parked_low(struct stack *stack);

/* Calls visit for each slot in use, in no order; visit may put that slot, and others. */
void stack_arena_each(struct stack_arena *arena, void (*visit)(struct stack *stack, void *context),
	void *context);

/* Gives back the pages below the first one, or below its frames, of each stack that was begun, or
 * parked deep, since it was last swept; of at most `most` stacks. parked_at returns the stack
 * pointer of a stack in use: none may be running. Returns whether some are left. */
bool stack_arena_sweep(struct stack_arena *arena,
	const void *(*parked_at)(const struct stack *stack), size_t most);

/* Gives back free slots until those in use and the free ones together are `keep`; of at most `most`
 * chunks. No stack of the arena may be running. Returns whether some are left. */
bool stack_arena_cool(struct stack_arena *arena, size_t keep, size_t most);

/* True if the address lies in the guard below the stack. Async-signal-safe. */
bool stack_guards(const struct stack *stack, const void *address);

#endif
