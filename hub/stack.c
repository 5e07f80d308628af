#include "hub/stack_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/check.h"

/* Linux 6.13; Debian's headers lack it. Guards in the page tables: no mapping of its own each, so
 * vm.max_map_count does not limit the number of stacks. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define CHUNK_SLOTS 1024 /* valgrind refuses mappings of many GiB */
#define COLOURS 16
#define COLOUR_STEP 64 /* a cache line; all colours together stay below a quarter page */

#define WATERMARK_WORDS 4
static const uint64_t watermark_pattern[WATERMARK_WORDS] = {
	UINT64_C(0x9d5a1c37e84b60f2),
	UINT64_C(0x6be0f8213c94a75d),
	UINT64_C(0xf14729d80e6bc3a5),
	UINT64_C(0x3a86dcb2751fe940),
};

struct chunk {
	struct list link;
	unsigned char *base;
	size_t slots;
};

/* For hub.gdb, which knows no macros. */
static const size_t stack_colours __attribute__((used)) = COLOURS;
static const size_t stack_colour_step __attribute__((used)) = COLOUR_STEP;

static enum stack_guard guard_kind;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;
static size_t page_size;
/* mprotect costs two mappings per stack; leave the rest of the process half of what it may have. */
static atomic_long protect_budget;

static long
read_max_map_count(void)
{
	long count = 65530;
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");

	if (file != NULL) {
		if (fscanf(file, "%ld", &count) != 1)
			count = 65530;
		fclose(file);
	}
	return count;
}

/* Emulators accept advice that they do not know, so only a touch tells whether a guard guards. */
static bool
marker_guards(void)
{
	unsigned char *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool guards;

	if (page == MAP_FAILED)
		return false;
	guards = !annotate_on_valgrind() && madvise(page, page_size, MADV_GUARD_INSTALL) == 0 &&
		 access((const char *)page, F_OK) == -1 && errno == EFAULT;
	munmap(page, page_size);
	return guards;
}

static void
guard_probe(void)
{
	const char *wish = getenv("HUBBUB_STACK_GUARD");

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	atomic_init(&protect_budget, read_max_map_count() / 4);
	if (wish != NULL && strcmp(wish, "canary") == 0)
		guard_kind = STACK_GUARD_CANARY;
	else if ((wish != NULL && strcmp(wish, "protect") == 0) || !marker_guards())
		guard_kind = STACK_GUARD_PROTECT;
	else
		guard_kind = STACK_GUARD_MARKER;
}

enum stack_guard
stack_guard_kind(void)
{
	pthread_once(&guard_once, guard_probe);
	return guard_kind;
}

void
stack_arena_init(struct stack_arena *arena, size_t stack_size, size_t object_size)
{
	stack_guard_kind();
	*arena = (struct stack_arena){.object_size = (object_size + 63) & ~(size_t)63};
	arena->stack_size = (stack_size + page_size - 1) & ~(page_size - 1);
	arena->slot_size = arena->stack_size + STACK_GUARD_SIZE;
	list_init(&arena->chunks);
	CHECK(stack_size >= STACK_SIZE_MIN && stack_size <= STACK_SIZE_MAX);
	CHECK(arena->object_size + COLOURS * COLOUR_STEP < page_size / 2);
}

/* The object of the slot: at its top, shifted by the slot's colour. */
static struct stack *
slot_object(const struct stack_arena *arena, unsigned char *slot, size_t index)
{
	size_t colour = index % COLOURS * COLOUR_STEP;

	return (struct stack *)(slot + arena->slot_size - arena->object_size - colour);
}

static uint64_t *
stack_watermark(const struct stack *stack)
{
	return (uint64_t *)(stack->end - page_size);
}

static uint64_t *
stack_canary(const struct stack *stack)
{
	return (uint64_t *)stack->low;
}

static void
guard_slot(struct stack *stack, unsigned char *slot)
{
	if (guard_kind == STACK_GUARD_MARKER &&
		madvise(slot, STACK_GUARD_SIZE, MADV_GUARD_INSTALL) == 0)
		return;
	if (guard_kind == STACK_GUARD_PROTECT) {
		if (atomic_fetch_sub(&protect_budget, 1) > 0 &&
			mprotect(slot, STACK_GUARD_SIZE, PROT_NONE) == 0)
			return;
		atomic_fetch_add(&protect_budget, 1);
	}
	stack->is_canary = true;
	memcpy(stack_canary(stack), watermark_pattern, sizeof watermark_pattern);
}

static bool
arena_grow(struct stack_arena *arena)
{
	size_t size = CHUNK_SLOTS * arena->slot_size;
	struct chunk *chunk = malloc(sizeof *chunk);

	if (chunk == NULL)
		return false;
	chunk->base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (chunk->base == MAP_FAILED) {
		free(chunk);
		return false;
	}
	/* A transparent huge page would turn each stack's one page into 2 MiB. */
	madvise(chunk->base, size, MADV_NOHUGEPAGE);
	chunk->slots = 0;
	list_append(&arena->chunks, &chunk->link);
	arena->fresh = chunk->base;
	arena->fresh_end = chunk->base + size;
	return true;
}

static struct stack *
arena_carve(struct stack_arena *arena)
{
	struct chunk *chunk;
	struct stack *stack;

	if (arena->fresh == arena->fresh_end && !arena_grow(arena)) {
		errno = ENOMEM;
		return NULL;
	}
	chunk = CONTAINER_OF(arena->chunks.previous, struct chunk, link);
	stack = slot_object(arena, arena->fresh, chunk->slots++);
	stack->low = arena->fresh + STACK_GUARD_SIZE;
	stack->end = arena->fresh + arena->slot_size;
	guard_slot(stack, arena->fresh);
	stack->mark = stack->is_canary ? (void *)UINTPTR_MAX : stack_watermark(stack);
	memcpy(stack_watermark(stack), watermark_pattern, sizeof watermark_pattern);
	annotate_stack_new(&stack->annotate, stack->low, (size_t)(stack->end - stack->low));
	arena->fresh += arena->slot_size;
	arena->used++;
	return stack;
}

struct stack *
stack_get(struct stack_arena *arena)
{
	struct stack *stack = arena->free;

	if (__builtin_expect(stack == NULL, 0))
		return arena_carve(arena);
	arena->free = stack->next_free;
	arena->used++;
	stack->is_free = false;
	annotate_stack_renew(&stack->annotate);
	return stack;
}

/* Returns the used pages below the first to the kernel, except those of the caller's frames. */
static void
stack_trim(struct stack *stack)
{
	unsigned char *first = stack->end - page_size;
	unsigned char *here = __builtin_frame_address(0);

	if (here > stack->low && here < stack->end && here - page_size < first)
		first = (unsigned char *)((uintptr_t)(here - page_size) & ~(page_size - 1));
	if (first > stack->low)
		madvise(stack->low, (size_t)(first - stack->low), MADV_DONTNEED);
	memcpy(stack_watermark(stack), watermark_pattern, sizeof watermark_pattern);
	if (stack->is_canary)
		memcpy(stack_canary(stack), watermark_pattern, sizeof watermark_pattern);
	else
		stack->mark = stack_watermark(stack);
	stack->is_deep = false;
}

void
stack_put(struct stack_arena *arena, struct stack *stack)
{
	if (stack->is_canary)
		stack_parked_low(stack);
	/* Below the last frame, where valgrind lets nobody read. */
	annotate_readable(stack_watermark(stack), sizeof watermark_pattern);
	if (stack->is_deep ||
		memcmp(stack_watermark(stack), watermark_pattern, sizeof watermark_pattern) != 0)
		stack_trim(stack);
	annotate_stack_clean(&stack->annotate, stack->low, (size_t)(stack->end - stack->low));
	stack->is_free = true;
	stack->next_free = arena->free;
	arena->free = stack;
	arena->used--;
}

void
stack_parked_low(struct stack *stack)
{
	stack->is_deep = true;
	if (stack->is_canary)
		CHECK_WHY(memcmp(stack_canary(stack), watermark_pattern,
				  sizeof watermark_pattern) == 0,
			"a coroutine overflowed its stack; give the hub larger stacks");
	else
		stack->mark = NULL;
}

void
stack_arena_each(
	struct stack_arena *arena, void (*visit)(struct stack *stack, void *context), void *context)
{
	LIST_EACH (link, &arena->chunks) {
		struct chunk *chunk = CONTAINER_OF(link, struct chunk, link);

		for (size_t i = 0; i < chunk->slots; i++) {
			struct stack *stack =
				slot_object(arena, chunk->base + i * arena->slot_size, i);

			if (!stack->is_free)
				visit(stack, context);
		}
	}
}

bool
stack_guards(const struct stack *stack, const void *address)
{
	const unsigned char *at = address;

	return at < stack->low && at >= stack->low - STACK_GUARD_SIZE;
}

void
stack_arena_fini(struct stack_arena *arena)
{
	LIST_EACH (link, &arena->chunks) {
		struct chunk *chunk = CONTAINER_OF(link, struct chunk, link);

		for (size_t i = 0; i < chunk->slots; i++) {
			struct stack *stack =
				slot_object(arena, chunk->base + i * arena->slot_size, i);

			annotate_stack_clean(
				&stack->annotate, stack->low, (size_t)(stack->end - stack->low));
			annotate_stack_free(&stack->annotate);
		}
		munmap(chunk->base, CHUNK_SLOTS * arena->slot_size);
		list_remove(&chunk->link);
		free(chunk);
	}
	arena->free = NULL;
	arena->fresh = arena->fresh_end = NULL;
}
