/* The table of entries: an array of chunks, each with the entries of FD_CHUNK fds. A chunk that was
 * never used shares one read-only chunk of zeros, `nothing`; one that was used keeps its addresses
 * until the hub ends, so a pointer to an entry can be read at any time. */
#include "hub/io/table_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "hub/arch/annotate.h"
#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/io/entry_priv.h"
#include "hub/io/signs_priv.h"
#include "hub/scheduler_priv.h"

#define CHUNK_SIZE (FD_CHUNK * sizeof(struct hub_fd))
#define CHUNKS_AT_ONCE 256

/* The entries of all chunks that were never used: read, never written. */
static struct hub_fd nothing[FD_CHUNK];

static struct fd_chunk *
chunk_of(struct hub *hub, const struct hub_fd *entry)
{
	return &hub->fds.chunks[entry->read.fd >> FD_CHUNK_BITS];
}

/* Extends the array of chunks to cover fd. The sizes are powers of two. Returns false without
 * memory. */
static bool
grow(struct fd_table *table, unsigned fd)
{
	unsigned size = table->size != 0 ? table->size : FD_CHUNK;
	struct fd_chunk *chunks;

	CHECK(fd <= INT_MAX);
	while (size <= fd)
		size *= 2;
	chunks = realloc(table->chunks, size / FD_CHUNK * sizeof *chunks);
	if (chunks == NULL)
		return false;
	for (unsigned i = table->size / FD_CHUNK; i < size / FD_CHUNK; i++)
		chunks[i] = (struct fd_chunk){.entries = nothing};
	table->chunks = chunks;
	table->size = size;
	return true;
}

/* By mmap, not malloc, whose freed memory stays mapped while something lies beside it. */
static bool
chunk_make(struct fd_chunk *chunk)
{
	struct hub_fd *entries = kernel_mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (entries == MAP_FAILED)
		return false;
	/* A huge page would take two megabytes for a few descriptors. */
	kernel_madvise(entries, CHUNK_SIZE, MADV_NOHUGEPAGE);
	annotate_holder(entries, CHUNK_SIZE);
	chunk->entries = entries;
	return true;
}

static void
chunk_free(struct fd_chunk *chunk)
{
	annotate_holder_gone(chunk->entries, CHUNK_SIZE);
	kernel_munmap(chunk->entries, CHUNK_SIZE);
}

struct hub_fd *
fd_table_entry(struct hub *hub, int fd)
{
	struct fd_table *table = &hub->fds;
	struct hub_fd *entry;

	if (((unsigned)fd >= table->size && !grow(table, (unsigned)fd)) ||
		(table->chunks[fd >> FD_CHUNK_BITS].entries == nothing &&
			!chunk_make(&table->chunks[fd >> FD_CHUNK_BITS]))) {
		errno = ENOMEM;
		return NULL;
	}
	entry = fd_entry(hub, fd);
	/* An entry stays its fd's. */
	DCHECK(entry->opening == 0 || entry->read.fd == fd);
	entry->read.fd = fd;
	return entry;
}

void
fd_table_enter(struct hub *hub, struct hub_fd *entry)
{
	struct fd_chunk *chunk = chunk_of(hub, entry);

	DCHECK(entry->generation == 0);
	DCHECK(chunk->entries != nothing && chunk->open < FD_CHUNK);
	if (chunk->open++ == 0 && chunk->has_memory)
		hub->fds.idle--;
	chunk->has_memory = true;
	entry->generation = ++hub->fds.generations;
	if (entry->opening == 0)
		fd_table_reopen(hub, entry);
}

void
fd_table_reopen(struct hub *hub, struct hub_fd *entry)
{
	/* 0 is reserved for entries that were never opened. */
	if (++hub->fds.openings == 0)
		hub->fds.openings++;
	entry->opening = hub->fds.openings;
}

void
fd_table_leave(struct hub *hub, struct hub_fd *entry)
{
	struct fd_chunk *chunk = chunk_of(hub, entry);

	CHECK(chunk->open > 0);
	entry->generation = 0;
	DCHECK(fd_table_has_left(hub, entry));
	if (--chunk->open != 0)
		return;
	chunk->idle_since = hub->now;
	hub->fds.idle++;
	hub->trim.is_wanted = true;
}

bool
fd_table_has_left(const struct hub *hub, const struct hub_fd *entry)
{
	/* An entry that no file has entered has no fd yet. */
	bool is_awaited = entry->readers != NULL || entry->writers != NULL ||
			  (entry->opening != 0 && signs_first(hub, entry) != NULL);
	bool is_watched =
		ev_is_active(&entry->read) || ev_is_active(&entry->write) || sweep_has(entry);

	return entry->generation == 0 && !is_awaited && !is_watched && entry->layer == NULL &&
	       !entry->is_adopted && !entry->is_known && !entry->is_member;
}

/* Whether the memory of a chunk may be given back. */
static bool
is_unused(const struct hub *hub, const struct fd_chunk *chunk)
{
	for (int i = 0; i < FD_CHUNK; i++)
		if (!fd_table_has_left(hub, &chunk->entries[i]))
			return false;
	return true;
}

/* Whether idle is the number of chunks that have memory and no file. */
static bool
is_idle_right(const struct fd_table *table)
{
	unsigned idle = 0;

	for (unsigned i = 0; i < table->size / FD_CHUNK; i++)
		idle += table->chunks[i].has_memory && table->chunks[i].open == 0;
	return table->idle == idle;
}

void
fd_table_trim(struct hub *hub, int64_t kept)
{
	struct fd_table *table = &hub->fds;
	unsigned count = table->size / FD_CHUNK;

	DCHECK(is_idle_right(table));
	for (unsigned i = 0; i < count && i < CHUNKS_AT_ONCE && table->idle != 0; i++) {
		struct fd_chunk *chunk = &table->chunks[table->trimmed++ % count];

		if (!chunk->has_memory || chunk->open != 0 || hub->now - chunk->idle_since < kept)
			continue;
		DCHECK(is_unused(hub, chunk));
		kernel_madvise(chunk->entries, CHUNK_SIZE, MADV_DONTNEED);
		free(chunk->signs);
		chunk->signs = NULL;
		chunk->has_memory = false;
		table->idle--;
	}
}

void
fd_table_start(struct hub *hub)
{
	hub->fds = (struct fd_table){.kinds = -1, .signs = -1};
}

void
fd_table_stop(struct hub *hub)
{
	struct fd_table *table = &hub->fds;

	for (unsigned i = 0; i < table->size / FD_CHUNK; i++) {
		CHECK(table->chunks[i].open == 0);
		free(table->chunks[i].signs);
		if (table->chunks[i].entries != nothing)
			chunk_free(&table->chunks[i]);
	}
	free(table->chunks);
	*table = (struct fd_table){.kinds = -1, .signs = -1};
}
