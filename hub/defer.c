/* A coroutine's own memory: chunks, each twice as large as the one before, filled from the front
 * and freed together when the coroutine ends. The records of deferred calls lie in them, too;
 * struct cleanup lies at the beginning of the oldest chunk. */
#include "hub/defer_priv.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "hub/scheduler_priv.h"

#define ALIGNMENT alignof(max_align_t)
#define CHUNK_FIRST ((size_t)256)
#define CHUNK_LARGEST ((size_t)64 * 1024)

struct chunk {
	struct chunk *older;
	size_t size; /* bytes of room */
	size_t used;
	alignas(max_align_t) unsigned char room[];
};

struct deferred {
	struct deferred *earlier;
	void (*function)(void *argument);
	void *argument;
};

struct cleanup {
	struct chunk *newest;
	struct deferred *last;
};

/* A chunk twice as large as the older one, with room for at_least bytes. NULL with errno ENOMEM. */
static struct chunk *
chunk_new(struct chunk *older, size_t at_least)
{
	size_t size = older == NULL ? CHUNK_FIRST : 2 * older->size;
	struct chunk *chunk;

	if (size > CHUNK_LARGEST)
		size = CHUNK_LARGEST;
	if (size < at_least)
		size = at_least;
	chunk = malloc(sizeof *chunk + size);
	if (chunk == NULL)
		return NULL;
	chunk->older = older;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

static void *
chunk_take(struct chunk *chunk, size_t size)
{
	void *memory = chunk->room + chunk->used;

	DCHECK(size <= chunk->size - chunk->used && size % ALIGNMENT == 0);
	chunk->used += size;
	return memory;
}

static size_t
rounded(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* The coroutine's record, made with its first chunk at the first use. NULL without memory. */
static struct cleanup *
cleanup_of(struct hub_coroutine *coroutine)
{
	struct chunk *chunk;

	if (coroutine->cleanup != NULL)
		return coroutine->cleanup;
	chunk = chunk_new(NULL, rounded(sizeof *coroutine->cleanup));
	if (chunk == NULL)
		return NULL;
	coroutine->cleanup = chunk_take(chunk, rounded(sizeof *coroutine->cleanup));
	*coroutine->cleanup = (struct cleanup){.newest = chunk};
	return coroutine->cleanup;
}

void *
hub_alloc(size_t size)
{
	struct hub_coroutine *self = hub_current();
	struct cleanup *cleanup;

	if (self == NULL) {
		errno = EPERM;
		return NULL;
	}
	cleanup = size <= SIZE_MAX / 2 ? cleanup_of(self) : NULL;
	if (cleanup == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	size = rounded(size);
	if (cleanup->newest->size - cleanup->newest->used < size) {
		struct chunk *chunk = chunk_new(cleanup->newest, size);

		if (chunk == NULL)
			return NULL;
		cleanup->newest = chunk;
	}
	return chunk_take(cleanup->newest, size);
}

int
hub_defer(void (*function)(void *argument), void *argument)
{
	struct deferred *deferred = hub_alloc(sizeof *deferred);

	if (deferred == NULL)
		return -1;
	*deferred = (struct deferred){hub_current()->cleanup->last, function, argument};
	hub_current()->cleanup->last = deferred;
	return 0;
}

void
cleanup_run(struct cleanup **cleanup)
{
	struct cleanup *own = *cleanup;
	struct chunk *chunk;

	/* A deferred function may defer and allocate more. */
	while (own->last != NULL) {
		struct deferred *deferred = own->last;

		own->last = deferred->earlier;
		deferred->function(deferred->argument);
	}
	chunk = own->newest;
	DCHECK(*cleanup == own);
	*cleanup = NULL;
	while (chunk != NULL) {
		struct chunk *older = chunk->older;

		/* The record lies in the oldest chunk, at its beginning. */
		DCHECK(older != NULL || (void *)chunk->room == (void *)own);
		free(chunk);
		chunk = older;
	}
}
