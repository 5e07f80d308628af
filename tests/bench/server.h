/* Servers under measurement: ours and the peers, each on one CPU, the load on another. */
#ifndef HUBBUB_TESTS_BENCH_SERVER_H
#define HUBBUB_TESTS_BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/load/show/result.h"
#include "tests/support/family.h"
#include "tests/support/program.h"

struct bench_server {
	const char *name;
	struct program program;
	struct family family; /* all of its processes */
	unsigned depth;       /* messages that a connection has under way; 0: one */
};

/* What a load made of it. */
struct bench_sample {
	double throughput; /* exchanges, or connects, a second */
	double p50;        /* seconds, like all times */
	double p99;
	double p99_9;
	double cpu; /* of the server, per exchange */
};

/* Starts a program, which prints "ready: 127.0.0.1:PORT", on the servers' CPU; argv[0] is in the
 * build's folder unless it has a '/'. port: that it was told to use, for one that prints no such
 * line; else 0. Returns whether it serves. */
bool bench_server_start(struct bench_server *server, char *const argv[], int port);

void bench_server_end(struct bench_server *server);

/* Loads it in a closed loop, for so many seconds, with messages that are lines of size bytes; size
 * 0: connects and closes.
 * Returns whether all went well; if not, a message on stderr says what. */
bool bench_server_measure(struct bench_server *server, unsigned connections, size_t size,
	double seconds, struct bench_sample *sample);

/* Bytes of its own memory that each of so many idle connections takes: the first ones that it ever
 * has, and as many that come after these have gone. */
struct bench_memory {
	double first, second;
};

/* Returns whether so many can be held. */
bool bench_server_idle_memory(
	struct bench_server *server, unsigned connections, struct bench_memory *memory);

#endif
