/* What the parts of a generator thread share: the driver, its connections, and the messages on
 * them. All of it belongs to one hub, so no field needs a lock; other processes only read the
 * row. */
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
#include "tests/load/drive/reply.h"

#define DRIVER_BUFFER ((size_t)256 * 1024) /* bytes, of each of the two */
#define DRIVER_WATCHERS 8         /* coroutines that look for idle connections that have ended */
#define DRIVER_HURRY CLOCK_SECOND /* time for unanswered messages when a run is interrupted */

/* Why a connection ends. */
enum connection_end {
	END_NONE,    /* it goes on */
	END_ORDERLY, /* used up, with no message unanswered */
	END_BROKEN,  /* by an error, which is counted already */
	END_LATE     /* a reply is late, which is still to be counted */
};

/* A slot, which has one connection after the other; at most 256 bytes, so that a million fit. */
struct connection {
	struct driver *driver;
	struct hub_coroutine *coroutine;
	uint64_t number;     /* of the open connection (driver_number); 0: none was opened yet */
	uint64_t next_sent;  /* sequence of the first message that is not wholly sent */
	uint64_t next_reply; /* sequence of the message whose reply is awaited */
	/* Datagrams: a bit for each of the 64 messages before next_reply: set if it was given up
	 * and its reply has not come yet. Bit 0 is the last message. */
	uint64_t given_up;
	/* Datagrams: how many messages before these 64 were given up and may still be answered. */
	uint64_t given_up_older;
	struct fifo due;        /* messages of which no byte is sent */
	struct fifo flying;     /* messages sent, at least in part, and not answered */
	struct hub_event wakes; /* with --churn=0: a message is due */
	uint64_t reply_offset;  /* bytes of next_reply's reply that were received */
	uint32_t sent_offset;   /* bytes of next_sent that were sent; 0: it is not begun */
	int64_t quota;          /* messages that the open connection may still begin */
	int64_t opened;         /* clock when the open connection was opened */
	unsigned index;         /* of the slot, among all slots of the run */
	int fd;                 /* -1: no connection is open */
	bool was_opened;        /* a connection was opened at the start */
	bool is_blocked;        /* the socket takes no more bytes */
	bool has_writer;        /* a coroutine waits until the socket takes more */
	bool is_slow;           /* reads at --slow's rate */
	/* Counted in the tally's alive: open, or between an orderly end and the next connection. */
	bool is_alive;
	enum connection_end end; /* of the open connection */
	int64_t last_received;   /* clock of the last receive, or of the opening */
	struct reply reply;      /* state of the reply that is awaited, unless it is an echo */
};

struct driver {
	const struct load *load;
	struct segment *segment;
	struct row *row; /* of the segment; this thread alone writes it */
	unsigned index;  /* of the thread, and of its row */
	/* clock; until the parent has set the start, start is 0, and begin and end are
	 * LOAD_NEVER */
	int64_t start;
	int64_t begin;  /* beginning of the window */
	int64_t end;    /* end of the window, and of sending */
	bool is_ending; /* connections are being closed, and none is opened */
	/* connections */
	struct connection *connections;
	unsigned count;
	unsigned settled;     /* slots whose first connection is opened or given up */
	unsigned turn;        /* slot that gets the next message */
	uint64_t numbers;     /* how many numbers driver_number has given out */
	int64_t next_connect; /* clock at which the connect rate allows another one */
	unsigned next_source; /* source address of the next connection */
	int *idle;            /* file descriptors; negative: not open */
	unsigned idle_count;
	unsigned idle_next;    /* the next to be opened, looked at or probed */
	unsigned idle_workers; /* coroutines that open or probe */
	struct hub_coroutine *watchers[DRIVER_WATCHERS];
	unsigned watcher_count;
	bool is_probing;       /* idle connections are in use, and not exchanged any more */
	int64_t idle_answered; /* clock of the last probe that was answered */
	/* the plan */
	struct plan plan;
	int timer;            /* the pacer's timerfd */
	int64_t next_due;     /* clock of the next message; LOAD_NEVER: none is left */
	int64_t spin_from;    /* clock from which the pacer spins until next_due */
	uint64_t left;        /* messages that may still become due */
	int64_t answered;     /* clock of the last reply */
	int64_t last_alive;   /* clock at which a connection was last open */
	uint64_t random;      /* state of random.h, for lengths */
	uint64_t next_ticket; /* number of the next request, among those of all threads */
	uint64_t next_client; /* number of the next PROXY header's client, among all threads' */
	struct flights flights;
	char *receive_buffer; /* DRIVER_BUFFER bytes, shared by all connections */
	char *send_buffer;    /* the same */
};

static inline bool
driver_in_window(const struct driver *driver, int64_t time)
{
	return time >= driver->begin && time < driver->end;
}

/* A number for a new connection. It differs from those of other threads, and from the last 268
 * million of this thread. */
static inline uint64_t
driver_number(struct driver *driver)
{
	return ((uint64_t)(driver->index + 1) << 28) | (++driver->numbers & 0xfffffff);
}

/* A number for a request, which no other thread gives out: the threads' numbers interleave. */
static inline uint64_t
driver_ticket(struct driver *driver)
{
	uint64_t ticket = driver->next_ticket;

	driver->next_ticket += driver->segment->rows;
	return ticket;
}

/* A number for a client that a PROXY header names: as driver_ticket. */
static inline uint64_t
driver_client(struct driver *driver)
{
	uint64_t client = driver->next_client;

	driver->next_client += driver->segment->rows;
	return client;
}

/* How many messages a slot may begin on a connection before it has another one. */
static inline int64_t
driver_quota(const struct driver *driver)
{
	const struct load *load = driver->load;

	return load->churn > 0 ? load->churn : load->roam > 0 ? load->roam : INT64_MAX;
}

/* Whether the run was told to end early, and the second for unanswered messages has passed. */
static inline bool
driver_is_hurried(const struct driver *driver)
{
	int64_t stop = __atomic_load_n(&driver->segment->stop, __ATOMIC_RELAXED);

	return stop != INT64_MAX && clock_now() > stop + DRIVER_HURRY;
}

/* How many messages of the fifo were due in the window and are not answered. */
static inline uint64_t
driver_count_due(const struct driver *driver, const struct fifo *fifo)
{
	uint64_t count = 0;

	for (uint32_t i = fifo->first, left = fifo->count; left > 0;
		i = driver->flights.items[i].next, left--)
		/* A length of 0 marks a message that is answered: its datagram overtook others. */
		count += driver->flights.items[i].length > 0 &&
			 driver_in_window(driver, driver->flights.items[i].intended);
	return count;
}

/* Adds to a counter that other processes may be reading. Thread: the row's writer. */
static inline void
tally_add(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

_Static_assert(sizeof(struct connection) <= 256, "connections are small");

#endif
