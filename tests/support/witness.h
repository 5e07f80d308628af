/* Clients that hold a server to its promises, in a thread of their own: some keep a connection and
 * exchange a message now and then; others connect, exchange one, and go. Every byte is checked, and
 * what goes wrong is told apart by kind. It loads no machine to the full: the longer answers take,
 * the fewer it asks for. */
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
	uint64_t refused;    /* connect failed */
	uint64_t reset;      /* a connection ended by an error */
	uint64_t unanswered; /* in order, but with a message outstanding */
	uint64_t ended;      /* in order, between two messages; a lasting one connects anew */
	uint64_t young;      /* of these two, how many had never had an answer */
	/* Of the unanswered, how many ended so soon after the message that the two may have
	 * crossed. */
	uint64_t crossed;
	uint64_t late;   /* a connect or an answer took longer than the limit */
	uint64_t wrong;  /* a byte that was not expected */
	int64_t slowest; /* nanoseconds, of what is not late */
};

struct witness {
	struct target target;
	unsigned lasting; /* connections that stay */
	double pause;     /* seconds between two messages of each */
	double rate;      /* other connections per second; fewer, if answers take long */
	int64_t limit;    /* nanoseconds for a connect or an answer; more with a sanitizer */
	/* The rest is the witness's. */
	struct witness_result result; /* to be read after witness_stop */
	volatile bool stop;
	pthread_t thread;
};

/* Starts; target to limit are set. Returns when all lasting connections have exchanged a message,
 * or failed. */
void witness_start(struct witness *witness);

/* Stops and waits for the end. */
void witness_stop(struct witness *witness);

/* How many of the unanswered are excused: a message and an end between two messages may cross,
 * whatever the server does, where there are such ends. */
uint64_t witness_excused(const struct witness *witness);

/* Failures of any kind but clean ends, and but those that are excused. */
uint64_t witness_failures(const struct witness *witness);

/* A line for messages: static until the next call. */
const char *witness_text(const struct witness *witness);

#endif
