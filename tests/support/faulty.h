/* An echo server with one fault, in a thread of its own. It has no framing: the size of messages is
 * fixed. */
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
	FAULTY_FLIP,      /* one bit of one reply is changed */
	FAULTY_DROP,      /* one byte of one reply is left out */
	FAULTY_ADD,       /* one byte is added after one reply */
	FAULTY_SWAP,      /* the replies of two connections are swapped */
	FAULTY_REORDER,   /* two replies of one connection are swapped, once both are due */
	FAULTY_DUPLICATE, /* one reply is sent twice */
	FAULTY_CLOSE,     /* one connection is closed with a message unanswered */
	FAULTY_SILENT,    /* no message is answered */
	FAULTY_STALL,     /* the server pauses, again and again */
};

struct faulty {
	enum faulty_kind kind;
	size_t size; /* bytes of a message */
	/* The message that the fault happens to, counted over all connections. */
	uint64_t victim;
	double period;     /* of FAULTY_STALL, seconds: each period ends with a pause */
	double pause;      /* length of a pause, seconds */
	int port;          /* set by faulty_start; the rest is the server's */
	uint64_t messages; /* so far */
	/* Clock at which each message came; to be read after faulty_stop. */
	int64_t times[FAULTY_TIMES_MAX];
	volatile bool stop;
	int listener;
	pthread_t thread;
};

/* Starts the server on a free port of loopback; the fields from kind to pause are set. Returns
 * whether it serves. */
bool faulty_start(struct faulty *faulty);

/* Ends the server and its thread. */
void faulty_stop(struct faulty *faulty);

#endif
