/* The order of the stores and loads is what keeps the limit. A hub adds to its cell, and then reads
 * the others', both in the one order of all sequentially consistent operations: of two hubs that
 * add at the same time, one at least sees both. A cell changes its holder only while no connection
 * is counted in it, by a compare-and-swap that leaves it CLAIMED until the new peer is written; so
 * whoever reads a holder with connections, and then the peer, reads their peer. */
#include "worker/tally.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

#include "hub/base/check.h"
#include "hub/base/memory.h"

#define TALLY_MAGIC UINT32_C(0x74616c79) /* "taly" */
#define TALLY_VERSION 1

#define OPEN_BITS 24
#define OPEN_MASK ((UINT64_C(1) << OPEN_BITS) - 1)
#define CLAIMED OPEN_MASK /* in place of a number: the cell is about to be its holder's */
#define INCARNATION_MASK ((UINT64_C(1) << 24) - 1)
#define ROW_SHIFT 48

_Static_assert(COUNTERS_ROWS <= 1 << 16, "a row's index fits into its bits");
_Static_assert(TALLY_OPEN_MOST < CLAIMED, "no number is taken for CLAIMED");

/* IPv4 addresses, among the prefixes of IPv6: those that begin with ff are multicast, which no
 * connection comes from. */
#define V4_PREFIX (UINT64_C(0xffffffff) << 32)

struct tally *
tally_new(int *fd)
{
	/* Sparse: buckets that are never used cost no memory. */
	struct tally *tally = memory_new(TALLY_NAME, sizeof *tally, fd);

	if (tally == NULL)
		return NULL;
	/* Early after the machine's start there may be none: then peers could choose buckets. */
	if (getrandom(&tally->secret, sizeof tally->secret, GRND_NONBLOCK) < 0)
		tally->secret = (uintptr_t)tally;
	tally->magic = TALLY_MAGIC;
	tally->version = TALLY_VERSION;
	return tally;
}

struct tally *
tally_map(int fd)
{
	struct tally *tally = memory_map(fd, sizeof *tally);

	if (tally == NULL)
		return NULL;
	if (tally->magic == TALLY_MAGIC && tally->version == TALLY_VERSION)
		return tally;
	tally_free(&tally);
	errno = EPROTO;
	return NULL;
}

void
tally_free(struct tally **tally)
{
	memory_free((void **)tally, sizeof **tally);
}

/* ---- peers ---- */

static uint64_t
big_endian(const unsigned char *bytes, unsigned count)
{
	uint64_t number = 0;

	CHECK(count <= sizeof number);
	for (unsigned i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

bool
tally_peer(const struct sockaddr_storage *address, uint64_t *peer)
{
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

		*peer = V4_PREFIX | ntohl(v4->sin_addr.s_addr);
	} else if (address->ss_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

		*peer = IN6_IS_ADDR_V4MAPPED(v6) ? V4_PREFIX | big_endian(v6->s6_addr + 12, 4)
						 : big_endian(v6->s6_addr, 8);
	} else {
		return false;
	}
	return true;
}

unsigned
tally_bucket(const struct tally *tally, uint64_t peer)
{
	uint64_t hash = peer ^ tally->secret;

	/* Each bit of the peer and of the secret reaches all bits of the index. */
	for (int round = 0; round < 2; round++) {
		hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
		hash ^= tally->secret >> 7;
	}
	return (unsigned)(hash >> 32) % TALLY_BUCKETS;
}

/* ---- holders ---- */

static uint64_t
holder_of(const struct tally *tally, const struct counters *counters, const struct worker_row *row)
{
	uint64_t index = (uint64_t)(row - counters->rows), incarnation;

	DCHECK(index < COUNTERS_ROWS);
	incarnation =
		__atomic_load_n(&tally->incarnations[index], __ATOMIC_ACQUIRE) & INCARNATION_MASK;
	return index << ROW_SHIFT | incarnation << OPEN_BITS;
}

static uint64_t
open_of(uint64_t holder)
{
	return holder & OPEN_MASK;
}

static bool
is_same_holder(uint64_t holder, uint64_t other)
{
	return (holder & ~OPEN_MASK) == (other & ~OPEN_MASK);
}

void
tally_renew(struct tally *tally, const struct counters *counters, const struct worker_row *rows,
	uint32_t count)
{
	ptrdiff_t first = rows - counters->rows;

	CHECK_WHY(first >= 0 && first + count <= COUNTERS_ROWS, "they are rows of these counters");
	/* A row that has just been claimed has no heartbeat yet, so that nobody takes what was
	 * there before for its own. */
	for (uint32_t i = 0; i < count; i++)
		__atomic_add_fetch(&tally->incarnations[first + i], 1, __ATOMIC_RELEASE);
}

/* Whether the process that holds a cell lives. The heartbeat is read before the incarnation: in a
 * row that is used again, the incarnation is changed before the first heartbeat. A cell is memory
 * of all workers, one of which may have overwritten it: the segment's file ends behind the rows
 * that were claimed. */
static bool
lives(const struct tally *tally, const struct counters *counters, uint64_t holder)
{
	const struct worker_row *row = &counters->rows[holder >> ROW_SHIFT];

	return holder >> ROW_SHIFT < segment_used(counters) && row_state(row) == ROW_LIVE &&
	       __atomic_load_n(&row->heartbeat, __ATOMIC_ACQUIRE) != 0 &&
	       is_same_holder(holder_of(tally, counters, row), holder);
}

static bool
is_of(const struct tally_cell *cell, uint64_t peer)
{
	return __atomic_load_n(&cell->peer, __ATOMIC_ACQUIRE) == peer;
}

/* How many connections have begun in that second. */
static uint32_t
fresh_of(const struct tally_cell *cell, uint32_t second)
{
	uint64_t fresh = __atomic_load_n(&cell->fresh, __ATOMIC_SEQ_CST);

	return (uint32_t)(fresh >> 32) == second ? (uint32_t)fresh : 0;
}

/* ---- counting ---- */

/* One hub's look at the bucket of a peer. */
struct look {
	const struct tally *tally;
	const struct counters *counters;
	struct tally_cell *bucket;
	uint64_t peer;
	uint64_t own; /* the hub as holder, with no connection */
	uint32_t second;
};

/* Takes a cell that counts nothing any more. Returns false if another hub was faster. */
static bool
claim(const struct look *look, struct tally_cell *cell, uint64_t holder)
{
	if (!__atomic_compare_exchange_n(&cell->holder, &holder, look->own | CLAIMED, false,
		    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&cell->peer, look->peer, __ATOMIC_RELAXED);
	__atomic_store_n(&cell->fresh, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&cell->holder, look->own | 1, __ATOMIC_SEQ_CST);
	return true;
}

/* Adds a connection to the hub's own cell of the peer. NULL if it has none. */
static struct tally_cell *
add_to_own(const struct look *look)
{
	for (unsigned i = 0; i < TALLY_CELLS; i++) {
		struct tally_cell *cell = &look->bucket[i];
		uint64_t holder = __atomic_load_n(&cell->holder, __ATOMIC_RELAXED);

		if (!is_same_holder(holder, look->own) || !is_of(cell, look->peer) ||
			open_of(holder) >= TALLY_OPEN_MOST)
			continue;
		/* A cell without connections may be another hub's by now. */
		if (__atomic_compare_exchange_n(&cell->holder, &holder, holder + 1, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return cell;
	}
	return NULL;
}

/* Adds a connection to a cell that is free: its holder is dead, or had no connection of late. NULL
 * if there is none. */
static struct tally_cell *
add_to_free(const struct look *look)
{
	for (unsigned i = 0; i < TALLY_CELLS; i++) {
		struct tally_cell *cell = &look->bucket[i];
		uint64_t holder = __atomic_load_n(&cell->holder, __ATOMIC_RELAXED);
		bool is_idle = open_of(holder) == 0 && fresh_of(cell, look->second) == 0;

		if ((is_idle || (!is_same_holder(holder, look->own) &&
					!lives(look->tally, look->counters, holder))) &&
			claim(look, cell, holder))
			return cell;
	}
	return NULL;
}

/* Adds up what the peer has, with all hubs: connections in all, and new ones. */
static void
add_up(const struct look *look, uint64_t *open, uint64_t *fresh)
{
	*open = *fresh = 0;
	for (unsigned i = 0; i < TALLY_CELLS; i++) {
		const struct tally_cell *cell = &look->bucket[i];
		uint64_t holder = __atomic_load_n(&cell->holder, __ATOMIC_SEQ_CST);

		if (!is_of(cell, look->peer) || open_of(holder) == CLAIMED ||
			(!is_same_holder(holder, look->own) &&
				!lives(look->tally, look->counters, holder)))
			continue;
		*open += open_of(holder);
		*fresh += fresh_of(cell, look->second);
	}
}

enum tally_verdict
tally_enter(struct tally *tally, const struct counters *counters, const struct worker_row *row,
	uint64_t peer, struct tally_limits limits, uint32_t second, struct tally_cell **cell)
{
	const struct look look = {tally, counters, tally->buckets[tally_bucket(tally, peer)], peer,
		holder_of(tally, counters, row), second};
	enum tally_verdict verdict = TALLY_COUNTED;
	struct tally_cell *own = add_to_own(&look);
	uint64_t open, fresh, before;

	*cell = NULL;
	if (own == NULL)
		own = add_to_free(&look);
	if (own == NULL)
		return TALLY_FULL;
	before = __atomic_load_n(&own->fresh, __ATOMIC_RELAXED);
	__atomic_store_n(&own->fresh, (uint64_t)second << 32 | (fresh_of(own, second) + 1),
		__ATOMIC_SEQ_CST);
	add_up(&look, &open, &fresh);
	if (limits.open != 0 && open > limits.open)
		verdict = TALLY_TOO_MANY;
	else if (limits.fresh != 0 && fresh > limits.fresh)
		verdict = TALLY_TOO_FAST;
	if (verdict == TALLY_COUNTED) {
		*cell = own;
		return verdict;
	}
	__atomic_store_n(&own->fresh, before, __ATOMIC_RELEASE);
	tally_leave(own);
	return verdict;
}

uint64_t
tally_open(const struct tally_cell *cell)
{
	uint64_t open = open_of(__atomic_load_n(&cell->holder, __ATOMIC_RELAXED));

	return open != CLAIMED ? open : 0;
}

void
tally_leave(struct tally_cell *cell)
{
	uint64_t holder;

	if (cell == NULL)
		return;
	/* A cell without a connection was overwritten, and may be another hub's by now. */
	holder = __atomic_load_n(&cell->holder, __ATOMIC_RELAXED);
	while (open_of(holder) != 0 && open_of(holder) != CLAIMED &&
		!__atomic_compare_exchange_n(&cell->holder, &holder, holder - 1, false,
			__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		continue;
}
