/* A block that the hub allocates while its coroutines run is in a table until it is freed. */
#include "sim/invariants/blocks_priv.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "hub/chunk_priv.h"
#include "hub/debug/symbol_priv.h"
#include "hub/scheduler_priv.h"
#include "sim/sim.h"
#include "sim/world/world_priv.h"

#define BUCKETS 4096 /* a power of 2 */

struct block {
	struct block *next; /* in its bucket */
	void *memory;
	size_t size;
	uint64_t number; /* of the allocation */
	long process;
	const void *caller;
};

static struct block *blocks[BUCKETS]; /* owned */
static uint64_t allocations;

static struct block **
bucket_of(const void *memory)
{
	return &blocks[(uintptr_t)memory >> 4 & (BUCKETS - 1)];
}

/* What a hub has before its first coroutine runs, it may keep. */
static bool
is_in_run(void)
{
	return world_exists() && hub_running != NULL && hub_running->main != NULL &&
	       hub_running->main->has_run;
}

static void *
remember(void *memory, size_t size, const void *caller)
{
	struct block **bucket = bucket_of(memory), *block;

	if (memory == NULL || !is_in_run())
		return memory;
	block = malloc(sizeof *block);
	CHECK_WHY(block != NULL, "no memory for a simulated world");
	*block = (struct block){*bucket, memory, size, ++allocations, world_core.process, caller};
	*bucket = block;
	return memory;
}

static void
forget(const void *memory)
{
	struct block **link = bucket_of(memory), *block;

	if (!world_exists())
		return;
	while (*link != NULL && (*link)->memory != memory)
		link = &(*link)->next;
	block = *link;
	if (block == NULL)
		return;
	*link = block->next;
	free(block);
}

void *
blocks_malloc(size_t size)
{
	return remember(hub_sim_malloc(size), size, __builtin_return_address(0));
}

void *
blocks_calloc(size_t count, size_t size)
{
	return remember(hub_sim_calloc(count, size), count * size, __builtin_return_address(0));
}

void *
blocks_realloc(void *memory, size_t size)
{
	void *result = hub_sim_realloc(memory, size);

	if (result == NULL)
		return NULL;
	forget(memory);
	return remember(result, size, __builtin_return_address(0));
}

void
blocks_free(void *memory)
{
	forget(memory);
	free(memory);
}

static void
tell(const struct block *block)
{
	char name[128];
	size_t offset;

	if (symbol_find(block->caller, name, sizeof name, &offset) == 0)
		name[0] = '\0';
	world_fail("%zu bytes are left at the end, which the hub has allocated in %s", block->size,
		name);
}

/* Stacks are kept for the thread's next run. */
static void
forget_stacks(const struct stack_arena *arena)
{
	LIST_EACH (link, &arena->chunks)
		forget(CONTAINER_OF(link, struct chunk, link));
}

void
blocks_forget(long process)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *block = blocks[i], *next; block != NULL; block = next) {
			next = block->next;
			if (block->process == process)
				blocks_free(block->memory);
		}
}

void
blocks_end(void)
{
	const struct block *first = NULL;

	if (hub_this != NULL)
		forget_stacks(&hub_this->arena);
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct block *block = blocks[i]; block != NULL; block = block->next)
			if (first == NULL || block->number < first->number)
				first = block;
	if (first != NULL)
		tell(first);
	for (size_t i = 0; i < BUCKETS; i++)
		while (blocks[i] != NULL)
			forget(blocks[i]->memory);
	allocations = 0;
}
