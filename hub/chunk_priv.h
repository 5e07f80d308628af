/* Chunks of an arena: mappings of 1024 slots each, and the state of each slot. The state lies apart
 * from the slots, whose memory may have been given back. See stack_priv.h. */
#ifndef HUBBUB_CHUNK_H
#define HUBBUB_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/arena_priv.h"
#include "hub/base/list.h"
#include "hub/guard_priv.h"

#define CHUNK_SLOTS 1024 /* valgrind refuses mappings of many GiB */
#define WORD_SLOTS 64
#define CHUNK_WORDS (CHUNK_SLOTS / WORD_SLOTS)
#define COLOURS 16
#define COLOUR_STEP 64 /* a cache line; all colours together stay below a quarter page */
#define WATERMARK_SIZE (4 * sizeof(uint64_t))

/* A bit for each slot of a chunk. */
typedef uint64_t slot_set[CHUNK_WORDS];

struct chunk {
	struct list link;
	struct list place; /* in the arena's list open, cold or spent; in none while full */
	struct stack_arena *arena;
	unsigned char *base;
	unsigned used;   /* slots in use: neither idle nor cold */
	unsigned idlers; /* idle slots */
	unsigned lowest; /* every word of the set idle below this index is empty */
	/* The chunk is in the arena's list open; it may have become full since. */
	bool is_open;
	slot_set idle;    /* free, with struct stack and memory for it */
	slot_set cold;    /* free, with no memory */
	slot_set suspect; /* slots whose pages below the first may have been touched */
	slot_set guarded; /* slots that a guard page protects; cold slots keep theirs */
};

/* A pattern that no program writes by chance: while it is intact, the stack has not grown past
 * it. */
extern const uint64_t stack_watermark[WATERMARK_SIZE / sizeof(uint64_t)];

static inline uint64_t
bit_of(unsigned index)
{
	return UINT64_C(1) << index % WORD_SLOTS;
}

static inline bool
set_has(const slot_set set, unsigned index)
{
	return set[index / WORD_SLOTS] & bit_of(index);
}

static inline void
set_add(slot_set set, unsigned index)
{
	set[index / WORD_SLOTS] |= bit_of(index);
}

static inline void
set_remove(slot_set set, unsigned index)
{
	set[index / WORD_SLOTS] &= ~bit_of(index);
}

static inline unsigned char *
slot_base(const struct chunk *chunk, unsigned index)
{
	return chunk->base + index * chunk->arena->slot_size;
}

/* The object of the slot: at its top, shifted by the slot's colour. */
static inline struct stack *
slot_object(const struct chunk *chunk, unsigned index)
{
	size_t colour = index % COLOURS * COLOUR_STEP;

	return (struct stack *)(void *)(slot_base(chunk, index + 1) - chunk->arena->object_size -
					colour);
}

static inline unsigned char *
first_page(const struct stack *stack)
{
	return stack->end - stack_page_size;
}

/* Whether no slot is in two sets, and the counts are those of the sets: what is in neither of idle
 * and cold is in use. */
bool chunk_is_consistent(const struct chunk *chunk);

/* Writes the watermark: as long as it stays intact, no page below the first has been written. */
void stack_set_watermark(struct stack *stack);

/* A chunk with a cold slot; NULL with errno where memory is out. */
struct chunk *chunk_with_cold(struct stack_arena *arena);

/* Makes a stack of a cold slot. */
struct stack *slot_make(struct chunk *chunk, unsigned index);

/* Gives back the memory of a chunk without slots in use, and its page tables, which guard markers
 * would keep. The addresses stay mapped and read as zeros. */
void chunk_spend(struct stack_arena *arena, struct chunk *chunk);

/* Gives back the memory of the chunk's idle slots, except for the first spare ones. */
void chunk_cool(struct chunk *chunk, size_t spare);

/* Unmaps the chunk, except for the objects of slots in use. The arena must not use the chunk
 * afterwards. */
void chunk_free(struct chunk *chunk);

#endif
