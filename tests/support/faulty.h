/* An echo server that misbehaves in one way, in a thread of its own. It knows how long messages
 * are. */
#ifndef HUBBUB_TESTS_FAULTY_H
#define HUBBUB_TESTS_FAULTY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTY_CONNECTIONS 64
#define FAULTY_TIMES_MAX 20000

enum faulty_kind {
	FAULTY_NONE,
	FAULTY_FLIP,      /* one bit of one reply */
	FAULTY_DROP,      /* one byte of one reply */
	FAULTY_ADD,       /* one byte after one reply */
	FAULTY_SWAP,      /* the replies of two connections */
	FAULTY_REORDER,   /* two replies of one connection, if they came together */
	FAULTY_DUPLICATE, /* one reply is sent twice */
	FAULTY_CLOSE,     /* closes one connection with a message unanswered */
	FAULTY_SILENT,    /* never answers */
	FAULTY_STALL,     /* does nothing for a while, again and again */
};

struct faulty {
	enum faulty_kind kind;
	size_t size;     /* of a message */
	uint64_t victim; /* which message it happens to, counted over all connections */
	double period;   /* of stalls, in seconds: one at the end of each */
	double pause;    /* how long one is */
	int port;        /* the rest is the server's */
	uint64_t messages;
	int64_t times[FAULTY_TIMES_MAX]; /* clock at which each came; read after faulty_stop */
	volatile bool stop;
	int listener;
	pthread_t thread;
};

/* Starts one on a free port; kind to pause are set. Returns whether it serves. */
bool faulty_start(struct faulty *faulty);

void faulty_stop(struct faulty *faulty);

#endif
