/* Places for the clients of a door of the master: so many at most, each for so long. When all are
 * taken, one gives way to whoever comes, so that clients that are slow or silent shut nobody out:
 * the oldest of the address that has the most. */
#ifndef HUBBUB_FACE_PLACES_H
#define HUBBUB_FACE_PLACES_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "hub/base/list.h"

/* Embedded in what a client is. */
struct place {
	struct list link;
	int64_t since;
	uint64_t from; /* the client's address, or its network */
};

struct places {
	struct ev_loop *loop;
	struct list taken; /* the oldest first */
	unsigned count;
	unsigned most;
	int64_t patience; /* nanoseconds */
	ev_timer timer;   /* until the oldest one's time is over */
	void (*end)(struct place *place);
};

/* Prepares empty places in a loop. end is called for a client that has to go; it has left its place
 * by then. */
void places_init(struct places *places, struct ev_loop *loop, unsigned most, int64_t patience,
	void (*end)(struct place *place));

/* Takes a place for a client from that address, now; another client may have to go. */
void places_take(struct places *places, struct place *place, const struct sockaddr *from);

/* The client has gone. Does nothing if it has left its place already. */
void places_leave(struct places *places, struct place *place);

/* Ends the client that would have to go next. Returns whether there was one. */
bool places_yield(struct places *places);

/* Ends all clients. */
void places_fini(struct places *places);

#endif
