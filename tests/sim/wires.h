/* Connections of random programs in a world. Each direction carries a stream of its own, whose
 * bytes tell the connection, the direction and the offset: a byte that arrives anywhere else, twice
 * or out of order is seen. Wires are never freed before the run ends, so a coroutine that comes
 * back from a wait may look at the one that it had, whatever has become of its descriptors. */
#ifndef HUBBUB_TESTS_SIM_WIRES_H
#define HUBBUB_TESTS_SIM_WIRES_H

#include <hubbub/hub.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/kernel/errnos_priv.h"

struct wire_end {
	int fd;                /* -1: closed */
	uint64_t sent;         /* bytes that calls have said to be sent from this end */
	uint64_t received;     /* bytes that were received at this end */
	bool has_ended;        /* its output was shut down */
	bool is_deaf;          /* its input was ended here */
	struct hub_lock sends; /* held by a call that sends: its bytes have an offset */
	struct hub_lock receives;
};

struct wire {
	struct wire *next; /* of all of this run */
	unsigned serial;
	bool is_secure, is_ready; /* with TLS; both sides of the handshake are done */
	bool is_pipe;
	/* Somebody has seen an error, or has made one: bytes may be missing. */
	bool is_spoiled;
	struct wire_end ends[2];
};

/* What is wrong, of all runs; empty: nothing. Only the first complaint counts. */
extern char wires_complaint[256];

void wires_complain(const struct wire *wire, const char *what, long value);

/* A PEM file with certificate and key, for those that are secure. Makes TLS's configurations, in
 * the world. False: hub_tls_why tells. */
bool wires_begin(const char *certificate);

/* Closes and frees all. */
void wires_end(void);

/* Opens a connection of a kind that is drawn: TCP or Unix, with or without TLS. What fails in a
 * world with trouble leaves one without descriptors, or not ready. Switches. */
struct wire *wire_open(void);

/* Opens a pipe: what is sent at end 0 is received at end 1. May leave one without descriptors. */
struct wire *wire_open_pipe(void);

/* Closes one end. Switches: no. */
void wire_close(struct wire *wire, int end);

/* Fills in the bytes that are to be sent next from this end. */
void wire_fill(const struct wire *wire, int end, unsigned char *bytes, size_t length);

/* Complains unless these are the bytes that come next at this end. They still do: who has received
 * them adds them to ->received. */
void wire_judge(const struct wire *wire, int end, const unsigned char *bytes, size_t length);

/* A call on the wire has failed with errno: complains about what it may not fail with, and marks
 * the wire as spoiled if bytes may be lost. They are not if the caller alone was to blame, or if
 * the kernel has refused this one call (sim/kernel/errnos.c). */
void wire_failed(struct wire *wire, enum errnos_call call, const char *what);

/* Complains if bytes are missing at an end that has come to the end of its input. */
void wire_judge_end(const struct wire *wire, int end);

#endif
