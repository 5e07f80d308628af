/* Stacks of coroutines: slots of one size in an arena per hub, each with a guard below it.
 *
 *   low address                                                       high address
 *   | guard, 16 KiB | usable stack: 64 KiB by default            | struct stack |..|
 *                   ^ low                     frames grow down <-^              ^ colour gap
 *
 * - The owner's object (a coroutine) begins with struct stack and lives at the top of its slot, so
 *   that a coroutine costs one page and no allocation. Memory of a slot stays mapped until
 *   the arena ends: a stale pointer to a finished coroutine still reads its epoch.
 * - Touching the guard raises SIGSEGV. Everything is built with -fstack-clash-protection, so that
 *   no frame, however large, steps over 16 KiB.
 * - Slot tops are shifted by multiples of a cache line ("coloured"): page-aligned tops would all
 *   compete for the same sets of the first-level cache.
 * - A slot that comes back keeps its first page; the pages below go back to the kernel only if
 *   they were used, which a watermark and the stack pointer at each park tell.
 *
 * One thread: the hub's. */
#ifndef HUBBUB_STACK_H
#define HUBBUB_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/arch/annotate_priv.h"
#include "hub/base/list.h"

#define STACK_GUARD_SIZE ((size_t)16 * 1024)
#define STACK_SIZE_DEFAULT ((size_t)64 * 1024)
#define STACK_SIZE_MIN ((size_t)16 * 1024)
#define STACK_SIZE_MAX ((size_t)1024 * 1024 * 1024)

/* Head of the object at the top of a slot. */
struct stack {
	struct stack *next_free; /* in the arena's list of free slots */
	unsigned char *low;      /* lowest usable byte, right above the guard */
	unsigned char *end;      /* first byte after the slot; a multiple of the page size */
	struct annotate annotate;
	bool is_free;
	bool is_deep;   /* its pages below the first were used since the slot was last trimmed */
	bool is_canary; /* nothing guards it but a canary, checked at each park */
	void *mark;     /* parking with a stack pointer below this calls stack_parked_low */
};

enum stack_guard { STACK_GUARD_MARKER, STACK_GUARD_PROTECT, STACK_GUARD_CANARY };

struct stack_arena {
	struct list chunks;
	struct stack *free;
	unsigned char *fresh; /* next slot of the newest chunk that was never used */
	unsigned char *fresh_end;
	size_t stack_size;  /* usable bytes, object included */
	size_t slot_size;   /* guard included */
	size_t object_size; /* of the owner's object, struct stack included */
	size_t used;        /* slots in use */
};

/* stack_size is rounded up to pages; object_size is the owner's, struct stack included. */
void stack_arena_init(struct stack_arena *arena, size_t stack_size, size_t object_size);

/* Unmaps everything. None of the arena's stacks may be running. */
void stack_arena_fini(struct stack_arena *arena);

/* Takes a slot: the last one freed, whose memory is warm, else one never used. The object's bytes
 * after struct stack are as its last owner left them (zero in a fresh slot).
 * Returns NULL with errno ENOMEM. */
struct stack *stack_get(struct stack_arena *arena);

/* Gives the slot back. The caller may still stand on that stack, in a frame of the first page, if
 * it takes no other slot before it leaves. */
void stack_put(struct stack_arena *arena, struct stack *stack);

/* The slow path of a park: notes that the stack is deep, or checks its canary. */
void stack_parked_low(struct stack *stack);

/* Calls visit for each slot that is in use, in no order; visit may put that slot. */
void stack_arena_each(struct stack_arena *arena, void (*visit)(struct stack *stack, void *context),
	void *context);

/* True if the address lies in the guard below the stack. Async-signal-safe. */
bool stack_guards(const struct stack *stack, const void *address);

/* What guards new stacks of this process, found out once by trying. HUBBUB_STACK_GUARD in the
 * environment (marker, protect, canary) chooses a weaker one, for tests. */
enum stack_guard stack_guard_kind(void);

#endif
