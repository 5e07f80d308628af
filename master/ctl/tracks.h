/* What hubs record while somebody reads: the records of each hub of each process, copied from the
 * rings of their flight recorders (worker/recorders.h). Servers know nothing of readers, and wait
 * for none. */
#ifndef HUBBUB_CTL_TRACKS_H
#define HUBBUB_CTL_TRACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/flight.h"
#include "worker/recorders.h"

/* A hub of one process. */
struct track {
	/* Its ring, as long as it is that process's. */
	const struct flight_ring *ring;
	size_t size; /* of the ring */
	const struct recorders_head *head;
	uint32_t seat;
	uint64_t life;
	uint32_t room; /* records in the ring */
	uint64_t next; /* the number of the record that is read next */
	int pid;
	uint32_t worker;
	uint32_t hub;
	uint32_t generation;
	int64_t died;  /* clock of the process's death; 0 while it lives */
	uint64_t lost; /* records that were overwritten before they were read */
	struct flight_record *records;
	size_t count;
	size_t capacity;
	uint32_t named; /* names that were copied, and had a text */
	char names[FLIGHT_NAMES][FLIGHT_NAME_SIZE];
};

#define TRACKS_SOURCES 8  /* masters, one after the other */
#define TRACKS_MOST 16384 /* hubs of all processes */

struct tracks {
	struct track **items; /* owned, as each of them */
	size_t count;
	struct {
		const struct recorders_head *head;
		size_t ring_size; /* as the head said first */
		int fd;
		unsigned long inode;
	} sources[TRACKS_SOURCES];
	size_t source_count;
	size_t most;  /* records of all tracks together */
	size_t taken; /* so many there are */
	bool is_full; /* records were left because of most */
};

/* Adds a server's memfd, which is owned from now on; the same file twice counts once. is_past: also
 * what its rings have now, not only what comes. Returns NULL, or why that is no such file. */
const char *tracks_add(struct tracks *tracks, int fd, bool is_past);

/* Copies what the rings have got since the last time. Returns false without memory. */
bool tracks_read(struct tracks *tracks);

/* Frees all records, and unmaps. */
void tracks_free(struct tracks *tracks);

#endif
