/* The segment of counters as it lies in shared memory: the master answers for a worker without
 * asking it, and still knows the numbers when it is dead.
 *
 *	memfd:  header | layouts | row | row | row | ...
 *	                 LIVE: one per hub of each living worker process; the hub's thread writes
 *	                 DEAD: its process is gone; a master will fold it into the ledger
 *	                 LEDGER: one per worker and hub: what dead processes had counted, so that
 *	                         nothing goes back; the master that folds writes (fold.h)
 *
 * Rows are padded so that no two share a cache line. Each field has a single writer; readers
 * load field by field, without locks. During an upgrade several masters use one segment. */
#ifndef HUBBUB_WORKER_SEGMENT_H
#define HUBBUB_WORKER_SEGMENT_H

#include <stdint.h>

#include "hub/scheduler.h"
#include "worker/counted.h"

enum row_state { ROW_FREE, ROW_LIVE, ROW_DEAD, ROW_LEDGER };

#define CRASH_FRAMES 32

/* What a dying thread leaves behind; see crash.h. */
struct worker_crash {
	int32_t signal; /* 0 for none; written last */
	int32_t code;
	uint64_t address;
	char coroutine[32];
	uint32_t frame_count;
	void *frames[CRASH_FRAMES];
};

#define COUNTED_ROOM 64 /* more than there are counters */
#define COUNTED_FIELD(field, ...) uint64_t field;
#define COUNTED_NO_FIELD(...)

struct worker_row {
	/* Who it is: the master's, before the fork. */
	uint32_t state; /* enum row_state */
	uint32_t worker;
	uint32_t index; /* of the hub in its worker */
	uint32_t generation;
	uint32_t master; /* the number of the one that claimed it; no other master ever has it */
	uint32_t layout; /* index of that of the program which writes it */
	int64_t granted; /* in a process's first row: all permits that it has, free and used */

	/* The hub's. */
	int64_t heartbeat; /* clock at which its pulse last ran */
	/* What is counted, by name and by place: see counted.h. opened - closed are open. The names
	 * are right in rows of this program's layout only; see layout.h. */
	union {
		uint64_t counts[COUNTED_ROOM];
		struct {
			struct hub_counters hub; /* by the hub itself */
			COUNTED(COUNTED_FIELD, COUNTED_NO_FIELD, COUNTED_FIELD)
		};
	};

	/* How many connections it may still open. Master and hub add and take, atomically. */
	int64_t permits __attribute__((aligned(128)));

	struct worker_crash crash __attribute__((aligned(128)));
} __attribute__((aligned(128)));

/* Pairs with the release that gave it this state: what was written of the row before is seen. */
static inline uint32_t
row_state(const struct worker_row *row)
{
	return __atomic_load_n(&row->state, __ATOMIC_ACQUIRE);
}

#define LAYOUTS_MAX 16 /* different programs that one server may be upgraded to */
#define LAYOUT_NAME_SIZE 32

/* What a program counts; see layout.h. */
struct layout {
	uint32_t state;                             /* enum layout_state */
	char names[COUNTED_ROOM][LAYOUT_NAME_SIZE]; /* by place; "" where nothing is counted */
	struct worker_row server;                   /* what masters count, of no hub */
};

/* The move of a row's counts into its ledger; see fold.h. */
struct fold {
	uint32_t row; /* indices in rows */
	uint32_t ledger;
	uint64_t sums[COUNTED_ROOM]; /* what the ledger has when it is done */
};

#define COUNTERS_NAME "hubbub-counters" /* of the file */

/* The version of the segment. In an upgrade two programs share one: a new master whose version is
 * another refuses it (counters_map, EPROTO), says so and ends, and the old one goes on. Which
 * counters there are is no part of it: layout.h deals with those.
 *
 *	1	a row for each hub of one master's workers
 *	2	rows are claimed by processes; a ledger; permits; crashes
 *	3	refused connections and datagrams are counted
 *	4	masters have numbers; who lives is a record lock
 *	5	counters are found by name; a fold is written down
 *
 * It is raised, once between two releases, when anything else in this file changes its place, its
 * size or its meaning, or the locks of counters.h or the rules of fold.h do. */
#define COUNTERS_VERSION 5

/* For as many hubs as there may be, 2000: a ledger of each layout, and three generations. */
#define COUNTERS_ROWS ((LAYOUTS_MAX + 3) * 2000)

struct counters {
	uint32_t magic;
	uint32_t version;
	uint32_t row_size;
	uint32_t used;    /* rows below this may be in use */
	uint32_t folds;   /* odd while the fold below is due: then it counts, not its two rows */
	uint32_t masters; /* how many there have been */
	/* Clock from which complain() may log another line. */
	int64_t next_complaint __attribute__((aligned(128)));
	struct fold fold __attribute__((aligned(128)));
	struct layout layouts[LAYOUTS_MAX];
	struct worker_row rows[COUNTERS_ROWS];
};

#endif
