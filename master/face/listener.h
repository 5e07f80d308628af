/* Accepts clients for the master, a few in each turn of its loop, so that a flood of clients does
 * not starve all else. If file descriptors run out, a client that has a place gives way; if no
 * place is taken, the listener pauses instead of spinning. */
#ifndef HUBBUB_FACE_LISTENER_H
#define HUBBUB_FACE_LISTENER_H

#include <ev.h>
#include <sys/socket.h>

#include "master/base/ear.h"
#include "master/face/places.h"

#define LISTENER_AT_ONCE 16 /* clients in a turn of the loop */

struct listener {
	struct ev_loop *loop;
	struct places *places; /* borrowed */
	struct ear input;      /* its fd is the listening socket; borrowed */
	ev_timer again;        /* the pause after accept has failed */
	void (*take)(int client, const struct sockaddr *from, void *context);
	void *context;
};

/* Prepares a listener for a listening, non-blocking socket, which it borrows. take gets each
 * accepted socket, non-blocking, and owns it; from is the client's address. */
void listener_init(struct listener *listener, struct ev_loop *loop, int fd, struct places *places,
	void (*take)(int client, const struct sockaddr *from, void *context), void *context);

/* Starts, and stops, accepting. Both may be repeated. */
void listener_start(struct listener *listener);
void listener_stop(struct listener *listener);

#endif
