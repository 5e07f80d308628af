/* Accepts clients for the master: a few in each turn of its loop, so that a flood of them takes
 * turns with all else. When files run out, a client that has a place gives way; without any, it
 * looks again after a moment instead of spinning. */
#ifndef HUBBUB_FACE_LISTENER_H
#define HUBBUB_FACE_LISTENER_H

#include <ev.h>
#include <sys/socket.h>

#include "master/base/ear.h"
#include "master/face/places.h"

#define LISTENER_AT_ONCE 16

struct listener {
	struct ev_loop *loop;
	struct places *places; /* borrowed */
	struct ear input;      /* its fd listens, and is not owned */
	ev_timer again;
	void (*take)(int client, const struct sockaddr *from, void *context);
	void *context;
};

/* Prepares one for a socket that listens and does not block. take gets each client, as a socket
 * that does not block, and owns it. */
void listener_init(struct listener *listener, struct ev_loop *loop, int fd, struct places *places,
	void (*take)(int client, const struct sockaddr *from, void *context), void *context);

/* Accepts, from now on; and ceases to. Both may be repeated. */
void listener_start(struct listener *listener);
void listener_stop(struct listener *listener);

#endif
