/* Clients that check what a server promises, in a thread of their own. Lasting clients keep a
 * connection and exchange a message now and then; passing clients connect, exchange one message,
 * and close. Every byte is checked, and failures are counted by kind. The longer answers take, the
 * fewer messages are sent, so the load never saturates a machine. */
#ifndef HUBBUB_TESTS_WITNESS_H
#define HUBBUB_TESTS_WITNESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/support/endpoint.h"

#define WITNESS_LASTING_MAX 2000

struct witness_result {
	uint64_t exchanges;
	uint64_t connects;
	uint64_t refused;    /* connects that were refused */
	uint64_t reset;      /* connections that ended with an error */
	uint64_t unanswered; /* connections that ended gracefully with a message unanswered */
	/* Connections that ended gracefully between two messages; a lasting client reconnects. */
	uint64_t ended;
	/* Of reset and unanswered: connections that never had an answer. */
	uint64_t young;
	/* Of unanswered: connections that ended so soon after the message was sent that the two may
	 * have crossed. */
	uint64_t crossed;
	/* Of crossed: after a rest so long that a server which drains may end the connection. */
	uint64_t rested;
	uint64_t late;   /* connects and answers that took longer than the limit */
	uint64_t resent; /* connects by TCP whose first packet was dropped: they took a second */
	uint64_t wrong;  /* receives with a wrong byte */
	int64_t slowest; /* longest connect or answer that was not late, nanoseconds */
};

struct witness {
	struct target target; /* the server */
	unsigned lasting;     /* number of lasting clients */
	double pause;         /* seconds between two messages of a lasting client */
	double rate;          /* passing clients per second; fewer if answers take long */
	/* Nanoseconds for a connect or an answer. witness_start raises it with a sanitizer. */
	int64_t limit;
	/* The rest is the witness's. */
	struct witness_result result; /* read it after witness_stop */
	volatile bool stop;
	pthread_t thread;
};

/* Starts the thread; the fields from target to limit are set. Returns when all lasting clients have
 * exchanged a message, or after a minute. */
void witness_start(struct witness *witness);

/* Ends all clients and the thread. */
void witness_stop(struct witness *witness);

/* How many unanswered messages are excused: a message and the server's end of a connection between
 * two messages may cross, whatever the server does, if there were such ends, or the client had
 * rested for so long that there might be one. */
uint64_t witness_excused(const struct witness *witness);

/* Failures of all kinds: not graceful ends between two messages, and not those that are excused. */
uint64_t witness_failures(const struct witness *witness);

/* The result in a line, for messages of a test; static until the next call. */
const char *witness_text(const struct witness *witness);

#endif
