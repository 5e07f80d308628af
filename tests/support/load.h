/* A small closed-loop echo client, until hubbub-load replaces it: every connection sends a message,
 * waits for the whole reply, checks each byte, and sends the next. One thread, one epoll. */
#ifndef HUBBUB_TESTS_LOAD_H
#define HUBBUB_TESTS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
	int port;
	unsigned connections;
	size_t size;         /* of a message, in bytes */
	bool reconnects;     /* a connection that breaks is counted and made anew */
	double seconds;      /* how long; or */
	uint64_t exchanges;  /* how many in all, if not 0 */
	volatile bool *stop; /* ends the run when it becomes true; may be NULL */
};

struct load_result {
	uint64_t exchanges;
	uint64_t connected; /* connections made */
	uint64_t broken;    /* ended by the server or an error, after at least one exchange */
	uint64_t refused;   /* never made, or broken before the first reply came */
	uint64_t wrong;     /* replies with a wrong byte */
	double seconds;     /* from the first send to the last reply */
	double p50;         /* round trip, in seconds */
	double p99;
};

/* Runs the load in the calling thread. Returns false if not even one connection was made. */
bool load_run(const struct load *load, struct load_result *result);

#endif
