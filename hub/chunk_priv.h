/* Chunks of an arena: mappings of a thousand slots each, and what is known of each slot, which is
 * kept apart from the slots, since their memory may be gone. See stack_priv.h. */
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
	struct list place; /* in one of open, cold and spent, or in none: full */
	struct stack_arena *arena;
	unsigned char *base;
	unsigned used;   /* slots in use: neither idle nor cold */
	unsigned idlers; /* how many are idle */
	unsigned lowest; /* no word of idle below this one has a bit */
	bool is_open;
	slot_set idle;    /* free, with struct stack and memory for it */
	slot_set cold;    /* free, with no memory */
	slot_set suspect; /* their pages below the first may have been touched */
	slot_set guarded; /* by more than a canary; also while they are cold */
};

/* Words that nobody writes by chance. */
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

/* Its pages below the first are untouched from now on, until the watermark changes. */
void stack_set_watermark(struct stack *stack);

/* A chunk with a cold slot; NULL if memory is out. */
struct chunk *chunk_with_cold(struct stack_arena *arena);

/* Makes a stack of a cold slot. */
struct stack *slot_make(struct chunk *chunk, unsigned index);

/* The memory of a chunk that nobody uses goes back with its page tables, which guards would keep;
 * its addresses stay, and read as zeros. */
void chunk_spend(struct stack_arena *arena, struct chunk *chunk);

/* Gives back the chunk's idle slots, after the first few. */
void chunk_cool(struct chunk *chunk, size_t spare);

/* Unmaps the chunk, which its arena is not to look at any more, but for the objects of slots in
 * use. */
void chunk_free(struct chunk *chunk);

#endif
