/* How many connections each peer has with the whole server, in memory that all workers of all
 * generations, and both masters of an upgrade, share:
 *
 *	tally: incarnations of rows | bucket | bucket | bucket | ...
 *	bucket, by a hash of the peer:  cell | cell | cell | ...
 *	cell: the connections of one peer with one hub
 *
 * A cell has one writer, the hub that holds it; what a peer has is the sum over the cells of its
 * bucket. Nobody has to give back what a dead process had: a cell counts only as long as its holder
 * lives, which the state of the holder's row of counters says (segment.h). A row that is used again
 * has another incarnation.
 *
 * Never does a peer have more than the limit: a hub first adds itself, and then adds up. So of two
 * connections that come to different hubs for the last place, at the same instant, both may be
 * refused. */
#ifndef HUBBUB_WORKER_TALLY_H
#define HUBBUB_WORKER_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "worker/segment.h"

#define TALLY_NAME "hubbub-tally" /* the name of the memfd */
#define TALLY_CELLS 32            /* of a bucket */
#define TALLY_BUCKETS (1U << 15)

/* The most connections of one peer with one hub; no limit is higher. */
#define TALLY_OPEN_MOST ((1U << 24) - 2)

struct tally_cell {
	uint64_t peer;
	uint64_t holder; /* row, its incarnation, open connections: 16, 24 and 24 bits */
	uint64_t fresh;  /* a second of the clock, and connections that began in it: 32 bits each */
};

struct tally {
	uint32_t magic;
	uint32_t version; /* a new master that has another one makes a tally of its own */
	uint64_t secret;  /* of the hash: no peer can choose its bucket */
	uint32_t incarnations[COUNTERS_ROWS];
	struct tally_cell buckets[TALLY_BUCKETS][TALLY_CELLS] __attribute__((aligned(64)));
};

/* Connections of one peer; 0 for no limit. */
struct tally_limits {
	unsigned open;  /* at a time */
	unsigned fresh; /* new ones within one second of the clock */
};

enum tally_verdict {
	TALLY_COUNTED,
	TALLY_FULL, /* may be served, but cannot be counted: the peer's bucket has no free cell */
	TALLY_TOO_MANY,
	TALLY_TOO_FAST
};

/* Makes a tally; children share it. *fd is the caller's. NULL with errno. */
struct tally *tally_new(int *fd);

/* Maps another master's. NULL with errno: EPROTO if it is none of this version. */
struct tally *tally_map(int fd);

/* Unmaps it and nulls the pointer. NULL is ignored. */
void tally_free(struct tally **tally);

/* By the master that has claimed these rows, before it forks: what former processes held in them
 * counts no more. */
void tally_renew(struct tally *tally, const struct counters *counters,
	const struct worker_row *rows, uint32_t count);

/* Which peer an address is: an IPv4 address, or the first 64 bits of an IPv6 address, since one
 * host has all the others. Returns false if the address is of another family. */
bool tally_peer(const struct sockaddr_storage *address, uint64_t *peer);

/* The bucket of a peer. */
unsigned tally_bucket(const struct tally *tally, uint64_t peer);

/* Counts a connection of a peer with the hub of that row, if the limits allow it; second is the
 * clock's. *cell becomes what tally_leave needs, or NULL unless it was counted. Only on the row's
 * own hub. */
enum tally_verdict tally_enter(struct tally *tally, const struct counters *counters,
	const struct worker_row *row, uint64_t peer, struct tally_limits limits, uint32_t second,
	struct tally_cell **cell);

/* How many connections a cell counts, whether its holder lives or not. */
uint64_t tally_open(const struct tally_cell *cell);

/* The connection has ended. NULL is ignored. Only on the hub that has entered. */
void tally_leave(struct tally_cell *cell);

#endif
