/* The rings of all hubs' flight recorders (hub/base/flight.h), in a memfd that a master makes for
 * its workers. hubbub-ctl gets the file to read, so that nobody waits for a worker, and what a dead
 * or hanging one has recorded can still be read.
 *
 *	memfd:  head | ring | ring | ring | ...
 *	               one for each hub of each process; its thread alone writes
 *
 * A ring has memory only while its hub records. Recording has an end, which the master sets, and
 * whoever reads has put off again and again: nothing must be turned off by somebody who may have
 * died. A ring is kept for a while after its process's death. */
#ifndef HUBBUB_WORKER_RECORDERS_H
#define HUBBUB_WORKER_RECORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/flight.h"

#define RECORDERS_MAGIC UINT32_C(0x68756266) /* "hubf" */
#define RECORDERS_VERSION 1 /* raise it when this file or flight.h changes what readers see */
#define RECORDERS_MAX 4096  /* rings: two for each hub that a server can have */
/* Rings begin at multiples of this, the largest page. */
#define RECORDERS_ALIGN ((size_t)64 * 1024)
#define RECORDERS_HEAD (2 * RECORDERS_ALIGN)
/* Nanoseconds for which the ring of a dead process is kept. */
#define RECORDERS_KEPT (INT64_C(30) * 1000000000)

/* Bytes of a ring's records: what operators can set, and what it is if they set nothing. */
#define RECORDERS_SIZE_LEAST ((size_t)64 * 1024)
#define RECORDERS_SIZE_MOST ((size_t)1024 * 1024 * 1024)
#define RECORDERS_SIZE_DEFAULT ((size_t)2 * 1024 * 1024)

/* Whose a ring is; written by the master. */
struct recorders_seat {
	uint64_t life; /* no two processes have the same; 0: the ring is nobody's; atomic */
	int64_t ended; /* clock of the process's death; 0 while it lives; atomic */
};

struct recorders_head {
	uint32_t magic;
	uint32_t version;
	uint64_t ring_size; /* bytes from one ring to the next */
	int64_t until;      /* clock until which all hubs record; atomic */
	uint64_t lives;     /* so far */
	uint32_t used;      /* rings from this index on have never been used; atomic */
	struct recorders_seat seats[RECORDERS_MAX];
};

_Static_assert(sizeof(struct recorders_head) <= RECORDERS_HEAD, "the head has room");

/* A master's, or none: all functions take NULL, and do nothing then. */
struct recorders;

/* Makes the memfd, of rings whose records have size bytes, or less if that is no power of two. NULL
 * with errno. */
struct recorders *recorders_new(size_t size);

/* Unmaps, closes and frees. */
void recorders_free(struct recorders *recorders);

/* Gives count neighbours to a process that will be forked. Returns the first one's index, or -1
 * with errno: ENOSPC, or that of a file that cannot grow. */
int recorders_claim(struct recorders *recorders, uint32_t count);

/* Maps a process's rings, for the fork that inherits them. NULL with errno. */
struct flight_ring *recorders_map(const struct recorders *recorders, int first, uint32_t count);

/* Unmaps them again in the master. */
void recorders_unmap(const struct recorders *recorders, struct flight_ring *rings, uint32_t count);

/* The process has died, or was not forked; first may be -1. */
void recorders_bury(struct recorders *recorders, int first, uint32_t count);

/* Gives back the memory of those that were kept long enough. */
void recorders_sweep(struct recorders *recorders, int64_t now);

/* Hubs record until that clock at least. */
void recorders_extend(struct recorders *recorders, int64_t until);

/* The head, for the heritage; NULL for none. */
struct recorders_head *recorders_head(const struct recorders *recorders);

/* In a worker: it can only read the head from now on, on which its master relies. */
void recorders_protect(const struct recorders_head *head);

/* Returns a descriptor of the memfd that can only be read, which the caller closes; -1 with
 * errno. */
int recorders_reader(const struct recorders *recorders);

/* ---- for hubs and readers ---- */

/* Whether hubs are to record now. */
static inline bool
recorders_are_wanted(const struct recorders_head *head, int64_t now)
{
	return head != NULL && now < __atomic_load_n(&head->until, __ATOMIC_RELAXED);
}

/* The ring of that number, counted from the first of them. */
static inline struct flight_ring *
recorders_at(struct flight_ring *first, const struct recorders_head *head, uint32_t number)
{
	return (struct flight_ring *)(void *)((char *)first + number * head->ring_size);
}

#endif
