/* Places for the clients of one of the master's servers: a limited number, each for a limited time.
 * If all are taken, a client gives way to each new one, so that slow or silent clients lock nobody
 * out: the oldest client of the address that has the most clients. */
#ifndef HUBBUB_FACE_PLACES_H
#define HUBBUB_FACE_PLACES_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "hub/base/list.h"

/* A client's place, embedded in the client. */
struct place {
	struct list link;
	int64_t since; /* when it was taken, as clock_now */
	uint64_t from; /* the client's IPv4 address or IPv6 network; 0 for a Unix socket */
};

/* All places of one server. */
struct places {
	struct ev_loop *loop;
	struct list taken; /* the oldest first */
	unsigned count;
	unsigned most;    /* the limit on count */
	int64_t patience; /* nanoseconds for each client */
	ev_timer timer;   /* fires when the oldest client's time is over */
	void (*end)(struct place *place);
};

/* Prepares empty places. end is called for a client that must go, once it has left its place; it
 * disconnects and may free the client. */
void places_init(struct places *places, struct ev_loop *loop, unsigned most, int64_t patience,
	void (*end)(struct place *place));

/* Takes a place for a new client from that address, which may be NULL; if all are taken, another
 * client gives way. */
void places_take(struct places *places, struct place *place, const struct sockaddr *from);

/* Frees the place of a client that has gone. Does nothing if the client has left it already. */
void places_leave(struct places *places, struct place *place);

/* Makes the client go that would give way next. Returns whether there was one. */
bool places_yield(struct places *places);

/* Makes all clients go. */
void places_fini(struct places *places);

#endif
