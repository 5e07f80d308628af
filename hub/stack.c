/* Taking and putting stacks. A slot is in use, or in exactly one of its chunk's sets idle and cold;
 * stack_get takes the idle slot with the lowest index of the first open chunk, so that other chunks
 * become empty. Memory is given back only where no coroutine of the arena runs, or below the
 * caller's own frames. */
#include "hub/stack_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/chunk_priv.h"

/* Bytes kept below a stack pointer: a parked stack has nothing there, the running one the frames of
 * the functions that give its pages back. */
#define FRAMES_ROOM 512

/* ---- slots ---- */

/* Whether the counts of the arena are those of its chunks. */
static bool
arena_is_consistent(const struct stack_arena *arena)
{
	size_t used = 0;

	for (const struct list *link = arena->chunks.next; link != &arena->chunks;
		link = link->next) {
		const struct chunk *chunk = CONTAINER_OF(link, struct chunk, link);

		if (!chunk_is_consistent(chunk))
			return false;
		used += chunk->used;
	}
	return used == arena->used && arena->used <= arena->peak;
}

void
stack_arena_init(struct stack_arena *arena, size_t stack_size, size_t object_size)
{
	stack_guard_kind();
	*arena = (struct stack_arena){.object_size = (object_size + 63) & ~(size_t)63};
	arena->stack_size = (stack_size + stack_page_size - 1) & ~(stack_page_size - 1);
	arena->slot_size = arena->stack_size + STACK_GUARD_SIZE;
	list_init(&arena->chunks);
	list_init(&arena->open);
	list_init(&arena->cold);
	list_init(&arena->spent);
	CHECK(stack_size >= STACK_SIZE_MIN && stack_size <= STACK_SIZE_MAX);
	CHECK(arena->object_size + COLOURS * COLOUR_STEP < stack_page_size / 2);
}

void
stack_arena_fini(struct stack_arena *arena)
{
	DCHECK(arena_is_consistent(arena));
	LIST_EACH (link, &arena->chunks)
		chunk_free(CONTAINER_OF(link, struct chunk, link));
	list_init(&arena->chunks);
	list_init(&arena->open);
	list_init(&arena->cold);
	list_init(&arena->spent);
}

/* ---- getting and putting ---- */

static inline void
count_got(struct stack_arena *arena, struct chunk *chunk)
{
	chunk->used++;
	DCHECK(chunk->arena == arena && chunk->used + chunk->idlers <= CHUNK_SLOTS);
	if (++arena->used > arena->peak)
		arena->peak = arena->used;
}

/* Takes a cold slot, of a new chunk if need be. NULL with errno ENOMEM. */
static struct stack *
get_cold(struct stack_arena *arena)
{
	struct chunk *chunk = chunk_with_cold(arena);
	unsigned word = 0, index;
	struct stack *stack;

	if (chunk == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	while (chunk->cold[word] == 0)
		word++;
	index = word * WORD_SLOTS + (unsigned)__builtin_ctzll(chunk->cold[word]);
	stack = slot_make(chunk, index);
	count_got(arena, chunk);
	if (chunk->used + chunk->idlers == CHUNK_SLOTS)
		list_remove(&chunk->place);
	return stack;
}

/* The first chunk with an idle slot, or NULL. A chunk without one leaves the list only here, since
 * the only slot of a chunk may be taken and put again and again. */
static inline struct chunk *
chunk_with_idle(struct stack_arena *arena)
{
	while (!list_is_empty(&arena->open)) {
		struct chunk *chunk = CONTAINER_OF(arena->open.next, struct chunk, place);

		if (__builtin_expect(chunk->idlers != 0, 1))
			return chunk;
		list_remove(&chunk->place);
		chunk->is_open = false;
		if (chunk->used < CHUNK_SLOTS)
			list_prepend(&arena->cold, &chunk->place);
	}
	return NULL;
}

struct stack *
stack_get(struct stack_arena *arena)
{
	struct chunk *chunk = chunk_with_idle(arena);
	struct stack *stack;
	unsigned index;

	if (__builtin_expect(chunk == NULL, 0))
		return get_cold(arena);
	while (chunk->idle[chunk->lowest] == 0)
		chunk->lowest++;
	index = chunk->lowest * WORD_SLOTS + (unsigned)__builtin_ctzll(chunk->idle[chunk->lowest]);
	stack = slot_object(chunk, index);
	/* No neighbour has written over it, and nothing has given its page back. */
	DCHECK(stack->chunk == chunk && stack->index == index && !set_has(chunk->cold, index));
	annotate_stack_renew(&stack->annotate);
	set_remove(chunk->idle, index);
	chunk->idlers--;
	count_got(arena, chunk);
	return stack;
}

void
stack_begins(struct stack *stack)
{
	set_add(stack->chunk->suspect, stack->index);
	stack->chunk->arena->is_restless = true;
}

/* Gives back the pages of a stack that lie wholly below the byte in_use. */
static __attribute__((noinline)) void
give_below(struct stack *stack, const unsigned char *in_use)
{
	/* The page of a canary is kept: giving it back would cost a page fault at the next
	 * check. */
	unsigned char *low = stack->low + (stack->is_canary ? stack_page_size : 0);
	unsigned char *keep =
		(unsigned char *)((uintptr_t)(in_use - FRAMES_ROOM) & ~(stack_page_size - 1));

	/* A stack pointer of this very stack, or its pages would go from under its frames. */
	CHECK(in_use > stack->low && in_use <= stack->end);
	if (keep > low)
		kernel_madvise(low, (size_t)(keep - low), MADV_DONTNEED);
	if (keep >= first_page(stack))
		stack_set_watermark(stack);
	else
		/* It may have grown up again when it parks next: look then. */
		stack->mark = (void *)UINTPTR_MAX;
}

static void
check_canary(const struct stack *stack)
{
	CHECK_WHY(memcmp(stack->low, stack_watermark, WATERMARK_SIZE) == 0,
		"a coroutine overflowed its stack; run the hub with a larger one (stack_size, "
		"--stack-size, or HUBBUB_STACK_SIZE=1M in the environment)");
}

/* Whether the caller runs on this stack. */
static inline bool
stands_on(const struct stack *stack, const unsigned char *here)
{
	return here > stack->low && here < stack->end;
}

/* Puts the chunk into the list of open chunks, first or last. */
static void
chunk_open(struct stack_arena *arena, struct chunk *chunk, bool is_first)
{
	list_remove(&chunk->place);
	list_append(is_first ? arena->open.next : &arena->open, &chunk->place);
	chunk->is_open = true;
}

void
stack_put(struct stack_arena *arena, struct stack *stack)
{
	const unsigned char *here = __builtin_frame_address(0);
	struct chunk *chunk = stack->chunk;

	DCHECK(chunk->arena == arena && chunk->used > 0 && arena->used > 0);
	DCHECK(!set_has(chunk->idle, stack->index) && !set_has(chunk->cold, stack->index));
	if (stack->is_canary)
		check_canary(stack);
	/* First, since frames that were never left are poisoned. */
	annotate_stack_clean(&stack->annotate, stack->low, (size_t)(stack->end - stack->low));
	/* The watermark lies below all frames, where valgrind forbids reads. */
	annotate_readable(first_page(stack), WATERMARK_SIZE);
	if (stack->is_deep || memcmp(first_page(stack), stack_watermark, WATERMARK_SIZE) != 0)
		give_below(stack, stands_on(stack, here) ? here : stack->end);
	set_add(chunk->idle, stack->index);
	set_add(chunk->suspect, stack->index);
	if (stack->index / WORD_SLOTS < chunk->lowest)
		chunk->lowest = stack->index / WORD_SLOTS;
	chunk->idlers++;
	if (--chunk->used == 0)
		chunk_open(arena, chunk, false);
	else if (!chunk->is_open)
		chunk_open(arena, chunk, true);
	arena->used--;
	arena->is_restless = true;
}

void
stack_parked_low(struct stack *stack)
{
	const unsigned char *here = __builtin_frame_address(0);

	if (stack->is_canary) {
		check_canary(stack);
		if (stands_on(stack, here) && here >= first_page(stack))
			return;
	} else {
		stack->mark = NULL;
	}
	stack->is_deep = true;
	set_add(stack->chunk->suspect, stack->index);
	stack->chunk->arena->is_restless = true;
}

void
stack_arena_each(
	struct stack_arena *arena, void (*visit)(struct stack *stack, void *context), void *context)
{
	LIST_EACH (link, &arena->chunks) {
		struct chunk *chunk = CONTAINER_OF(link, struct chunk, link);

		for (unsigned i = 0; i < CHUNK_SLOTS; i++)
			if (!set_has(chunk->idle, i) && !set_has(chunk->cold, i))
				visit(slot_object(chunk, i), context);
	}
}

bool
stack_guards(const struct stack *stack, const void *address)
{
	const unsigned char *at = address;

	return at < stack->low && at >= stack->low - STACK_GUARD_SIZE;
}

/* ---- giving back ---- */

/* A coroutine may wait in code that runs on a stack of its own making, as ucontext does: then
 * nothing is known of this one. */
static void
give_unused(struct stack *stack, const unsigned char *in_use)
{
	if (in_use > stack->low && in_use <= stack->end)
		give_below(stack, in_use);
}

bool
stack_arena_sweep(
	struct stack_arena *arena, const void *(*parked_at)(const struct stack *stack), size_t most)
{
	DCHECK(arena_is_consistent(arena));
	LIST_EACH (link, &arena->chunks) {
		struct chunk *chunk = CONTAINER_OF(link, struct chunk, link);

		for (unsigned i = 0; i < CHUNK_WORDS; i++) {
			while (chunk->suspect[i] != 0) {
				unsigned index = i * WORD_SLOTS +
						 (unsigned)__builtin_ctzll(chunk->suspect[i]);
				struct stack *stack = slot_object(chunk, index);

				DCHECK(!set_has(chunk->cold, index));
				if (most-- == 0)
					return true;
				give_unused(stack, set_has(chunk->idle, index) ? stack->end
									       : parked_at(stack));
				set_remove(chunk->suspect, index);
			}
		}
	}
	arena->is_restless = false;
	return false;
}

bool
stack_arena_cool(struct stack_arena *arena, size_t keep, size_t most)
{
	size_t spare = keep > arena->used ? keep - arena->used : 0;

	DCHECK(arena_is_consistent(arena));
	LIST_EACH (link, &arena->open) {
		struct chunk *chunk = CONTAINER_OF(link, struct chunk, place);

		if (chunk->idlers <= spare) {
			spare -= chunk->idlers;
			continue;
		}
		if (most-- == 0)
			return true;
		if (chunk->used == 0 && spare == 0)
			chunk_spend(arena, chunk);
		else
			chunk_cool(chunk, spare);
		spare = 0;
	}
	return false;
}
