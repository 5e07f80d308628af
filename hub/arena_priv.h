/* The records of a stack and of its arena, shared by stack.c, which hands stacks out, and chunk.c,
 * which maps their memory. */
#ifndef HUBBUB_ARENA_PRIV_H
#define HUBBUB_ARENA_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/arch/annotate.h"
#include "hub/base/list.h"

struct chunk;

/* Head of the object at the top of a slot. chunk.c sets all but mark and is_deep, when it makes the
 * slot. */
struct stack {
	struct chunk *chunk;
	unsigned char *low; /* lowest usable byte, right above the guard */
	unsigned char *end; /* first byte after the slot; a multiple of the page size */
	struct annotate annotate;
	void *mark;     /* a park with the stack pointer below this calls stack_parked_low */
	uint16_t index; /* in the chunk */
	bool is_deep;   /* pages below the first one were touched since they were last given back */
	bool is_canary; /* no guard page: a canary at low is checked at each park */
};

struct stack_arena {
	struct list chunks; /* all chunks; hub.gdb walks them, too */
	struct list open;   /* chunks with an idle slot; the one that was full last comes first */
	struct list cold;   /* chunks with a cold slot and no idle one */
	struct list spent;  /* chunks of cold slots alone; their page tables are given back, too */
	size_t stack_size;  /* usable bytes, object included */
	size_t slot_size;   /* guard included */
	size_t object_size; /* bytes of the owner's object, struct stack included */
	size_t used;        /* slots in use */
	size_t peak;        /* most slots in use at once since trim.c last reset this */
	bool is_restless;   /* a slot was begun, put or parked deep since the last full sweep */
};

#endif
