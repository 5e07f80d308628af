/* The ring of a flight recorder: records of a fixed size, the oldest of which are overwritten. One
 * thread writes; any thread or process that has mapped the ring reads, while it is written.
 *
 * A record carries its number. The writer takes the number out before it changes a record, and puts
 * in the new one after that; each store releases, and each load acquires. So a reader that has seen
 * a word of a newer record sees that the number is gone, also on machines that reorder memory
 * accesses, and without fences, which ThreadSanitizer does not know. Readers trust no number in the
 * ring: where it was damaged they get nonsense, never an access beyond it. */
#ifndef HUBBUB_BASE_FLIGHT_H
#define HUBBUB_BASE_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/inside.h"

/* What happened; then, in brackets, what `detail` and `value` are. `who` is the lower half of the
 * running coroutine's hub_id unless said otherwise; 0 is the loop. Names and words are indices into
 * the ring's names. */
enum flight_kind {
	FLIGHT_NONE,
	/* The thread goes on with the coroutine who [its name, and in the upper half the word for
	 * what the former one waits for or why it stops; the object that it waits for, or an fd as
	 * flight_fd knows it] */
	FLIGHT_SWITCH,
	FLIGHT_WAKE,     /* who's wait ends [the reason, an errno or 0; the waker's id] */
	FLIGHT_POLL,     /* the hub asks the loop [1: and waits; runnable coroutines] */
	FLIGHT_POLLED,   /* the loop has answered [-; runnable coroutines] */
	FLIGHT_SPAWN,    /* who is made [its name; its maker's id] */
	FLIGHT_END,      /* [-; -] */
	FLIGHT_ACCEPT,   /* a connection was accepted [its fd; -] */
	FLIGHT_HANDOVER, /* a connection goes to another hub [its fd; the hub's index] */
	FLIGHT_RECEIVED, /* [fd; bytes] */
	FLIGHT_SENT,     /* [fd; bytes] */
	FLIGHT_LATE,     /* a deadline of who's was noticed late [-; nanoseconds] */
	FLIGHT_OFFLOAD,  /* a call goes to another thread [-; the function's address] */
	FLIGHT_LOG,      /* a line of the log; FLIGHT_TEXT follows [its level; its length] */
	FLIGHT_TEXT,     /* 24 bytes of text in place of the other fields */
	FLIGHT_OPEN,     /* the hub's connections [-; how many] */
	FLIGHT_PERMITS,  /* those that it may still open [-; how many] */
	FLIGHT_LAG,      /* how late its pulse was [-; nanoseconds] */
	FLIGHT_KINDS
};

struct flight_record {
	uint64_t mark; /* (number + 1) << 8 | kind; 0 while the record is written */
	uint64_t time; /* nanoseconds of clock_now */
	uint64_t who;  /* detail << 32 | who */
	uint64_t value;
};

#define FLIGHT_NAME_SIZE 40
#define FLIGHT_NAMES 256
#define FLIGHT_TEXT_SIZE 24

/* The name of a coroutine, or a word for what it waits for. */
struct flight_name {
	uint64_t address; /* of the function or of the word; 0 for a name that was given */
	/* 1 once text is whole; until then the name is a function whose name was not looked up. */
	uint32_t is_named;
	char text[FLIGHT_NAME_SIZE];
};

/* Names that are in each ring. */
enum { FLIGHT_OTHER, FLIGHT_LOOP, FLIGHT_YIELD, FLIGHT_RETURN, FLIGHT_DIRECT, FLIGHT_GIVEN };

/* A ring is FLIGHT_HEAD bytes that begin with this, and behind them its records, a power of two. */
struct flight_ring {
	uint64_t written; /* records ever; atomic */
	uint32_t records; /* how many it has room for */
	uint32_t named;   /* names in use; atomic */
	/* Whose it is, for readers. */
	int32_t pid;
	uint32_t worker;
	uint32_t hub;
	uint32_t generation;
	struct flight_name names[FLIGHT_NAMES];
};

#define FLIGHT_HEAD ((size_t)16 * 1024)

_Static_assert(sizeof(struct flight_ring) <= FLIGHT_HEAD, "the head has room");
_Static_assert(sizeof(struct flight_record) == 32, "two records share a cache line");

/* The writer's end: its own copies of what it relies on. */
struct flight {
	struct flight_ring *ring;
	struct flight_record *records;
	uint64_t mask;
	uint64_t written;
};

/* A record as it was read. */
struct flight_event {
	uint64_t number;
	enum flight_kind kind;
	uint32_t who;
	uint32_t detail;
	int64_t time;
	uint64_t value;
};

enum flight_found { FLIGHT_FOUND, FLIGHT_LOST, FLIGHT_NOT_YET };

/* Returns the most records for which size bytes have room beside the head, a power of two; 0 for
 * less than one. */
uint32_t flight_records(size_t size) HUB_INSIDE(flight_records);

/* Prepares the writer's end of a ring, zero or written before, of size bytes, at least one record.
 * The ring is the caller's. */
void flight_open(struct flight *flight, struct flight_ring *ring, size_t size);

static inline void
flight_put(
	struct flight *flight, enum flight_kind kind, uint64_t time, uint64_t who, uint64_t value)
{
	struct flight_record *record = &flight->records[flight->written & flight->mask];

	__atomic_store_n(&record->mark, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&record->time, time, __ATOMIC_RELEASE);
	__atomic_store_n(&record->who, who, __ATOMIC_RELEASE);
	__atomic_store_n(&record->value, value, __ATOMIC_RELEASE);
	flight->written++;
	__atomic_store_n(&record->mark, flight->written << 8 | kind, __ATOMIC_RELEASE);
	__atomic_store_n(&flight->ring->written, flight->written, __ATOMIC_RELEASE);
}

/* Puts a text, which is cut, behind a record of that kind. */
void flight_put_text(
	struct flight *flight, uint64_t time, uint64_t who, const char *text, size_t length);

/* Adds a name to the ring. text NULL: of the function at address, to be looked up. Returns its
 * index; FLIGHT_OTHER if there is no room. */
uint32_t flight_name(struct flight *flight, const void *address, const char *text);

/* Sets the text of a name without one. */
void flight_set_name(struct flight_ring *ring, uint32_t index, const char *text);

/* Writes the name of that index as readers see it; also one that is not there. */
void flight_read_name(const struct flight_ring *ring, uint32_t index,
	char text[static FLIGHT_NAME_SIZE]) HUB_INSIDE(flight_read_name);

/* How many records were ever written. */
uint64_t flight_written(const struct flight_ring *ring) HUB_INSIDE(flight_written);

/* Reads the record of that number of a ring with so many records. FLIGHT_LOST: it was overwritten,
 * or its memory was given back. */
enum flight_found flight_read(const struct flight_ring *ring, uint32_t records, uint64_t number,
	struct flight_record *record) HUB_INSIDE(flight_read);

/* Takes a record apart that flight_read has found. */
static inline struct flight_event
flight_event(const struct flight_record *record)
{
	return (struct flight_event){.number = (record->mark >> 8) - 1,
		.kind = (enum flight_kind)(record->mark & 0xff),
		.who = (uint32_t)record->who,
		.detail = (uint32_t)(record->who >> 32),
		.time = (int64_t)record->time,
		.value = record->value};
}

/* The fd that a coroutine waits for, of FLIGHT_SWITCH; UINT32_MAX: an object, or nothing. */
static inline uint32_t
flight_fd(uint64_t value)
{
	return (value & 1) != 0 ? (uint32_t)(value >> 1) : UINT32_MAX;
}

#endif
