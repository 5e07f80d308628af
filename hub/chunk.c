/* A chunk is one mapping of CHUNK_SLOTS slots. Its struct, with the sets of idle, cold and suspect
 * slots, is allocated apart, so reading it never touches memory that was given back.
 *
 * The addresses of a chunk stay mapped until its arena ends: memory is given back by MADV_DONTNEED
 * or by mapping anew over it, never by munmap(2). */
#include "hub/chunk_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"

/* Read by hub.gdb, which cannot see macros. */
static const size_t stack_colours __attribute__((used)) = COLOURS;
static const size_t stack_colour_step __attribute__((used)) = COLOUR_STEP;
static const size_t stack_chunk_slots __attribute__((used)) = CHUNK_SLOTS;

const uint64_t stack_watermark[] = {
	UINT64_C(0x9d5a1c37e84b60f2),
	UINT64_C(0x6be0f8213c94a75d),
	UINT64_C(0xf14729d80e6bc3a5),
	UINT64_C(0x3a86dcb2751fe940),
};

/* ---- the sets ---- */

static unsigned
set_count(const slot_set set)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CHUNK_WORDS; i++)
		count += (unsigned)__builtin_popcountll(set[i]);
	return count;
}

bool
chunk_is_consistent(const struct chunk *chunk)
{
	for (unsigned i = 0; i < CHUNK_WORDS; i++)
		if ((chunk->idle[i] & chunk->cold[i]) != 0 ||
			(chunk->suspect[i] & chunk->cold[i]) != 0 ||
			(i < chunk->lowest && chunk->idle[i] != 0))
			return false;
	return set_count(chunk->idle) == chunk->idlers &&
	       set_count(chunk->cold) == CHUNK_SLOTS - chunk->used - chunk->idlers;
}

/* ---- slots ---- */

void
stack_set_watermark(struct stack *stack)
{
	/* The page lies below all frames, where valgrind forbids reads and writes. */
	annotate_readable(first_page(stack), WATERMARK_SIZE);
	memcpy(first_page(stack), stack_watermark, WATERMARK_SIZE);
	stack->mark = stack->is_canary ? (void *)UINTPTR_MAX : first_page(stack);
	stack->is_deep = false;
}

struct stack *
slot_make(struct chunk *chunk, unsigned index)
{
	struct stack *stack = slot_object(chunk, index);

	DCHECK(set_has(chunk->cold, index) && !set_has(chunk->idle, index));
	stack->chunk = chunk;
	stack->index = (uint16_t)index;
	stack->low = slot_base(chunk, index) + STACK_GUARD_SIZE;
	stack->end = slot_base(chunk, index + 1);
	if (!set_has(chunk->guarded, index) && guard_install(slot_base(chunk, index)))
		set_add(chunk->guarded, index);
	stack->is_canary = !set_has(chunk->guarded, index);
	if (stack->is_canary)
		memcpy(stack->low, stack_watermark, WATERMARK_SIZE);
	stack_set_watermark(stack);
	annotate_stack_new(&stack->annotate, stack->low, (size_t)(stack->end - stack->low));
	set_remove(chunk->cold, index);
	return stack;
}

/* Sanitizers and valgrind forget a stack that is about to lose its memory. */
static void
slot_forget(const struct chunk *chunk, unsigned index)
{
	struct stack *stack = slot_object(chunk, index);

	annotate_stack_clean(&stack->annotate, stack->low, (size_t)(stack->end - stack->low));
	annotate_stack_free(&stack->annotate);
}

/* Makes an idle slot cold; the caller gives its memory back. */
static void
slot_cool(struct chunk *chunk, unsigned index)
{
	DCHECK(set_has(chunk->idle, index) && chunk->idlers > 0);
	slot_forget(chunk, index);
	set_remove(chunk->idle, index);
	set_remove(chunk->suspect, index);
	set_add(chunk->cold, index);
	chunk->idlers--;
}

/* ---- chunks ---- */

static size_t
chunk_size(const struct stack_arena *arena)
{
	return CHUNK_SLOTS * arena->slot_size;
}

/* Maps a chunk's memory: at any address if at is NULL, else over the present mapping. Returns NULL
 * with errno. */
static void *
chunk_map(const struct stack_arena *arena, void *at, int protection)
{
	size_t size = chunk_size(arena);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at != NULL ? MAP_FIXED : 0);
	void *base = kernel_mmap(at, size, protection, flags, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	/* A transparent huge page would turn each stack's one page into 2 MiB. */
	kernel_madvise(base, size, MADV_NOHUGEPAGE);
	return base;
}

/* Maps a chunk, all of whose slots are cold; it is in the list of all chunks, and in no other.
 * Returns NULL with errno. */
static struct chunk *
chunk_new(struct stack_arena *arena)
{
	struct chunk *chunk = calloc(1, sizeof *chunk);

	if (chunk == NULL)
		return NULL;
	chunk->base = chunk_map(arena, NULL, PROT_READ | PROT_WRITE);
	if (chunk->base == NULL) {
		free(chunk);
		return NULL;
	}
	chunk->arena = arena;
	memset(chunk->cold, 0xff, sizeof chunk->cold);
	list_init(&chunk->place);
	list_append(&arena->chunks, &chunk->link);
	return chunk;
}

/* Prefers a chunk that is mapped to a spent one, and that to a new one. */
struct chunk *
chunk_with_cold(struct stack_arena *arena)
{
	struct chunk *chunk;

	if (!list_is_empty(&arena->cold))
		return CONTAINER_OF(arena->cold.next, struct chunk, place);
	if (list_is_empty(&arena->spent)) {
		chunk = chunk_new(arena);
	} else {
		chunk = CONTAINER_OF(arena->spent.next, struct chunk, place);
		/* By mprotect, not mmap: under strict overcommit a failing mmap with MAP_FIXED
		 * would leave a hole. */
		if (kernel_mprotect(chunk->base, chunk_size(arena), PROT_READ | PROT_WRITE) != 0)
			return NULL;
		list_remove(&chunk->place);
	}
	if (chunk != NULL)
		list_append(&arena->cold, &chunk->place);
	return chunk;
}

/* ---- giving back ---- */

void
chunk_spend(struct stack_arena *arena, struct chunk *chunk)
{
	/* A stack in use would lose its frames. */
	CHECK(chunk->used == 0 && chunk->arena == arena);
	for (unsigned i = 0; i < CHUNK_SLOTS; i++)
		if (set_has(chunk->idle, i))
			slot_cool(chunk, i);
	DCHECK(chunk->idlers == 0 && chunk_is_consistent(chunk));
	if (chunk_map(arena, chunk->base, PROT_READ) == NULL) {
		kernel_madvise(chunk->base, chunk_size(arena), MADV_DONTNEED);
		return;
	}
	guards_unmapped(set_count(chunk->guarded));
	memset(chunk->guarded, 0, sizeof chunk->guarded);
	list_remove(&chunk->place);
	list_append(&arena->spent, &chunk->place);
	chunk->is_open = false;
}

/* One madvise(2) for each run of idle slots; guards in between stay. */
void
chunk_cool(struct chunk *chunk, size_t spare)
{
	for (unsigned i = 0; i < CHUNK_SLOTS; i++) {
		unsigned from = i;

		if (!set_has(chunk->idle, i) || (spare > 0 && spare-- > 0))
			continue;
		for (; i < CHUNK_SLOTS && set_has(chunk->idle, i); i++)
			slot_cool(chunk, i);
		kernel_madvise(slot_base(chunk, from), (i - from) * chunk->arena->slot_size,
			MADV_DONTNEED);
	}
}

/* Gives back everything but the objects of the slots in use, and makes the rest read-only. The
 * chunk stays one mapping, however many objects remain. */
static void
leave_objects(struct chunk *chunk)
{
	unsigned char *from = chunk->base, *end = chunk->base + chunk_size(chunk->arena);

	for (unsigned i = 0; i < CHUNK_SLOTS; i++) {
		struct stack *stack = slot_object(chunk, i);

		if (set_has(chunk->cold, i) || set_has(chunk->idle, i))
			continue;
		if (from < first_page(stack))
			kernel_madvise(from, (size_t)(first_page(stack) - from), MADV_DONTNEED);
		from = stack->end;
	}
	if (from < end)
		kernel_madvise(from, (size_t)(end - from), MADV_DONTNEED);
	kernel_mprotect(chunk->base, chunk_size(chunk->arena), PROT_READ);
}

void
chunk_free(struct chunk *chunk)
{
	for (unsigned i = 0; i < CHUNK_SLOTS; i++)
		if (!set_has(chunk->cold, i))
			slot_forget(chunk, i);
	guards_unmapped(set_count(chunk->guarded));
	if (chunk->used > 0)
		leave_objects(chunk);
	else
		kernel_munmap(chunk->base, chunk_size(chunk->arena));
	free(chunk);
}
