/* The segment of counters as it lies in shared memory: the master reports on a worker without
 * asking it, and still has the counts of a dead worker.
 *
 *	memfd:  header | layouts | row | row | row | ...
 *	                 LIVE: one per hub of each living worker process; the hub's thread writes
 *	                 DEAD: its process has ended; a master will fold the row into the ledger
 *	                 LEDGER: one per worker and hub: the counts of dead processes, so that no
 *	                         total goes back; the master that folds writes (fold.h)
 *
 * The file has as many rows as have been claimed, and grows; the whole struct is mapped. Rows are
 * padded so that no two share a cache line. Each field has a single writer; readers load
 * field by field, without locks. During an upgrade several masters use one segment. */
#ifndef HUBBUB_WORKER_SEGMENT_H
#define HUBBUB_WORKER_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/scheduler.h"
#include "worker/buckets.h"
#include "worker/counted.h"

enum row_state { ROW_FREE, ROW_LIVE, ROW_DEAD, ROW_LEDGER };

#define CRASH_FRAMES 32

/* Written by the handler of a fatal signal, read by the master after the death; see crash.h. */
struct worker_crash {
	int32_t signal; /* 0 for none; written last, so the other fields are whole once it is set */
	int32_t code;   /* si_code */
	uint64_t address;   /* si_addr */
	char coroutine[32]; /* the name of the coroutine that ran; "" outside coroutines */
	uint32_t frame_count;
	void *frames[CRASH_FRAMES];
};

/* Places for counts in a row: those of this table, and of the service's own metrics. */
#define COUNTED_ROOM 2048
#define COUNTED_TYPE_COUNTER uint64_t
#define COUNTED_TYPE_PEAK uint64_t
#define COUNTED_TYPE_HISTOGRAM struct buckets
#define COUNTED_FIELD(field, kind, ...) COUNTED_TYPE_##kind field;
#define COUNTED_NO_FIELD(...)

struct worker_row {
	/* Written by the master that claims the row, before the fork. */
	uint32_t state; /* enum row_state */
	uint32_t worker;
	uint32_t index; /* of the hub in its worker */
	uint32_t generation;
	/* The number of the master that claimed it; no later master gets the same one. */
	uint32_t master;
	uint32_t layout; /* index of the layout of the program that writes the row */
	/* In the worker's first row only: permits granted to the whole process, free and used;
	 * written by the master, and by a worker whose master is dead. */
	int64_t granted;

	/* Written by the hub's thread. */
	int64_t heartbeat; /* clock (nanoseconds) when the hub's pulse last ran */
	/* The counters, by name and by place: see counted.h. opened - closed are open. The names
	 * are right only in rows of this program's layout; see layout.h. */
	union {
		uint64_t counts[COUNTED_ROOM];
		struct {
			struct hub_counters hub; /* written by hub/ */
			COUNTED(COUNTED_FIELD, COUNTED_NO_FIELD, COUNTED_FIELD)
		};
	};

	/* How many connections the hub may still open. Masters and hubs add and take,
	 * atomically. */
	int64_t permits __attribute__((aligned(128)));
	/* Written by the hub's thread when it starts: its number in the kernel; 0 before, and in
	 * rows of programs that do not write it. */
	int32_t thread;

	struct worker_crash crash __attribute__((aligned(128)));
} __attribute__((aligned(128)));

/* Pairs with the release store of state: a reader that sees the state sees what was written to the
 * row before it. */
static inline uint32_t
row_state(const struct worker_row *row)
{
	return __atomic_load_n(&row->state, __ATOMIC_ACQUIRE);
}

/* Whether a row of that state counts; one of no state at all was overwritten, and is as good as
 * FREE. */
static inline bool
row_counts(uint32_t state)
{
	return state != ROW_FREE && state <= ROW_LEDGER;
}

#define LAYOUTS_MAX 16 /* different programs, over all upgrades of one server */
#define LAYOUT_NAME_SIZE 64
#define LAYOUT_ENTRIES 128 /* more than there are rows in this program's catalog */

/* Where one metric lies in rows. A metric is the same in another program if its name, kind and
 * owner are. */
struct layout_entry {
	char name[LAYOUT_NAME_SIZE]; /* "" behind the last one */
	uint8_t kind;                /* enum catalog_kind */
	uint8_t is_service;          /* the service's own metric, not Hubbub's */
	uint16_t place;              /* the index in worker_row.counts of its first count */
};

/* What one program counts; see layout.h. */
struct layout {
	uint32_t state;  /* enum layout_state */
	uint32_t places; /* rows count in places below this one */
	struct layout_entry entries[LAYOUT_ENTRIES];
	/* Counters of the whole server, written by masters of this layout. */
	struct worker_row server;
};

/* The record of a fold, the move of a row's counts into its ledger; see fold.h. */
struct fold {
	uint32_t row;                /* index in rows of the dead process's row */
	uint32_t ledger;             /* index in rows of its ledger */
	uint64_t sums[COUNTED_ROOM]; /* the ledger's counts after the fold */
};

#define COUNTERS_NAME "hubbub-counters" /* the name of the memfd */

/* The version of the segment. In an upgrade two programs share one: a new master with another
 * version refuses the segment (counters_map, EPROTO), logs that and exits, and the old master goes
 * on. Which counters there are is not part of the version: see layout.h.
 *
 *	1	a row for each hub of one master's workers
 *	2	rows are claimed by processes; a ledger; permits; crashes
 *	3	refused connections and datagrams are counted
 *	4	masters have numbers; record locks say which processes live
 *	5	metrics are found by name and kind; histograms; a fold is written to a record
 *		first
 *
 * Raise it, once between two releases, when anything else in this file changes its place, its size
 * or its meaning, or when the locks of counters.h or the rules of fold.h change. */
#define COUNTERS_VERSION 5

/* The most hubs of a server are 2000: room for a ledger of each layout, and three generations. */
#define COUNTERS_ROWS ((LAYOUTS_MAX + 3) * 2000)

struct counters {
	uint32_t magic;
	uint32_t version;
	uint32_t row_size;
	uint32_t used;    /* rows from this index on have never been claimed; see segment_used */
	uint32_t folds;   /* odd while the record below counts in place of its two rows */
	uint32_t masters; /* how many masters the segment has had */
	/* Clock (nanoseconds) from which complain() may log another line. */
	int64_t next_complaint __attribute__((aligned(128)));
	struct fold fold __attribute__((aligned(128)));
	struct layout layouts[LAYOUTS_MAX];
	struct worker_row rows[COUNTERS_ROWS];
};

/* ---- the file of the segment that this process uses ---- */

/* The process has made or mapped the segment of this file, which stays open. */
void segment_enter(int fd);

/* Its file descriptor in this process and its children; -1 if there is none. */
int segment_file(void);

/* The size of the file with at least so many rows. */
size_t segment_bytes(uint32_t rows);

/* Sees to it that the file has so many rows, at most COUNTERS_ROWS. Returns false with errno. */
bool segment_reach(uint32_t rows);

/* How many rows may be read: those that have been claimed, whatever a worker has written over their
 * number, and no row that the file does not have. */
uint32_t segment_used(const struct counters *counters);

#endif
