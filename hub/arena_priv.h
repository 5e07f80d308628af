/* Stacks and their arena, as both see them: who takes stacks of it (stack_priv.h), and who maps its
 * memory (chunk_priv.h). */
#ifndef HUBBUB_ARENA_PRIV_H
#define HUBBUB_ARENA_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/arch/annotate.h"
#include "hub/base/list.h"

struct chunk;

/* Head of the object at the top of a slot. */
struct stack {
	struct chunk *chunk;
	unsigned char *low; /* lowest usable byte, right above the guard */
	unsigned char *end; /* first byte after the slot; a multiple of the page size */
	struct annotate annotate;
	void *mark;     /* parking with a stack pointer below this calls stack_parked_low */
	uint16_t index; /* in the chunk */
	bool is_deep;   /* its pages below the first were used since they last went back */
	bool is_canary; /* nothing guards it but a canary, checked at each park */
};

struct stack_arena {
	struct list chunks; /* all, for hub.gdb, too */
	struct list open;   /* those with an idle slot: whichever was full last comes first */
	struct list cold;   /* those without, but with a cold slot */
	struct list spent;  /* those with nothing but cold slots, whose page tables went, too */
	size_t stack_size;  /* usable bytes, object included */
	size_t slot_size;   /* guard included */
	size_t object_size; /* of the owner's object, struct stack included */
	size_t used;        /* slots in use */
	size_t peak;        /* most of them since somebody last looked */
	bool is_restless;   /* slots began, were put, or parked deep, since the last sweep */
};

#endif
