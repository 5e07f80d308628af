/* What the parts of a generator thread share: the driver, its connections, and the messages between
 * them. Everything here runs in one hub. */
#ifndef HUBBUB_LOAD_DRIVER_H
#define HUBBUB_LOAD_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/clock.h"
#include "hub/hub.h"
#include "tests/load/ask/load.h"
#include "tests/load/ask/random.h"
#include "tests/load/count/segment.h"
#include "tests/load/drive/flight.h"

#define DRIVER_BUFFER ((size_t)256 * 1024)
#define DRIVER_HURRY CLOCK_SECOND /* for what is open when the run is interrupted */

/* How a connection comes to its end. */
enum connection_end {
	END_NONE,    /* it has not */
	END_ORDERLY, /* used up, and between two messages */
	END_BROKEN,  /* counted by whoever noticed */
	END_LATE     /* a reply did not come in time; still to be counted */
};

/* A slot for one connection at a time; at most 256 bytes. */
struct connection {
	struct driver *driver;
	struct hub_coroutine *coroutine;
	uint64_t number;     /* of the connection that is open; see driver_number */
	uint64_t next_sent;  /* the first message that is not wholly sent */
	uint64_t next_reply; /* the message whose reply comes next */
	uint64_t given_up;   /* of the 64 before that, a bit for each that may still come late */
	uint64_t given_up_older; /* how many of those before these may */
	struct fifo due;         /* nothing of these is sent */
	struct fifo flying;      /* these are, at least partly, and not answered */
	struct hub_event wakes;  /* a message is due, for who connects once per message */
	uint32_t sent_offset;    /* of message next_sent; 0 if it is not begun */
	uint32_t reply_offset;
	int64_t quota; /* messages that this connection may still begin */
	int64_t opened;
	unsigned index;  /* among all of the run */
	int fd;          /* -1: not open */
	bool was_opened; /* ever */
	bool is_blocked; /* the socket is full */
	bool has_writer; /* a coroutine waits for it to take more */
	bool is_slow;
	bool is_alive; /* it counts as such: open, or between an orderly end and the next one */
	enum connection_end end;
	int64_t last_received;
};

struct driver {
	const struct load *load;
	struct segment *segment;
	struct row *row;
	unsigned index;
	/* times on the clock; 0 until the start */
	int64_t start;
	int64_t begin;  /* of the window */
	int64_t end;    /* and of sending */
	bool is_ending; /* connections close */
	/* connections */
	struct connection *connections;
	unsigned count;
	unsigned settled; /* opened or given up, at the start */
	unsigned turn;    /* whose the next message is */
	uint64_t numbers; /* given out to connections */
	int64_t next_connect;
	unsigned next_source;
	int *idle; /* descriptors; -1: not open */
	unsigned idle_count;
	unsigned idle_next;    /* whose turn it is to be opened or probed */
	unsigned idle_workers; /* coroutines that do that */
	int64_t idle_answered; /* clock of the last probe that was answered */
	/* the plan */
	struct plan plan;
	int timer;          /* of the pacer */
	int64_t next_due;   /* clock; LOAD_NEVER: nothing more */
	int64_t spin_from;  /* clock from which the pacer spins for it */
	uint64_t left;      /* messages that may still come due */
	int64_t answered;   /* clock of the last reply */
	int64_t last_alive; /* clock at which a connection was last open */
	uint64_t random;    /* for lengths */
	struct flights flights;
	char *receive_buffer;
	char *send_buffer;
};

static inline bool
driver_in_window(const struct driver *driver, int64_t time)
{
	return time >= driver->begin && time < driver->end;
}

/* A number for a new connection, unique among those of the last 268 million of this thread and all
 * of the others. */
static inline uint64_t
driver_number(struct driver *driver)
{
	return ((uint64_t)(driver->index + 1) << 28) | (++driver->numbers & 0xfffffff);
}

/* Whether the run is to end sooner than by itself: what is still open is given a second. */
static inline bool
driver_is_hurried(const struct driver *driver)
{
	int64_t stop = __atomic_load_n(&driver->segment->stop, __ATOMIC_RELAXED);

	return stop != INT64_MAX && clock_now() > stop + DRIVER_HURRY;
}

/* How many of these messages were due in the window. */
static inline uint64_t
driver_count_due(const struct driver *driver, const struct fifo *fifo)
{
	uint64_t count = 0;

	for (uint32_t i = fifo->first, left = fifo->count; left > 0;
		i = driver->flights.items[i].next, left--)
		/* Without a length it is answered, by a datagram that overtook others. */
		count += driver->flights.items[i].length > 0 &&
			 driver_in_window(driver, driver->flights.items[i].intended);
	return count;
}

/* Adds to a counter that other processes read. */
static inline void
tally_add(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

_Static_assert(sizeof(struct connection) <= 256, "connections are small");

#endif
