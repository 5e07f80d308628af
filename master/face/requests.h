/* Requests: the commands of the control socket's clients, and what the clients are told until a
 * command is done.
 *
 * A client is answered at once, or waits for the end of the change under way, of the server, of the
 * dump of all coroutines, or for a worker's answer to a command of the service's own. No answer
 * depends on a worker: what workers are asked (dump.h, ask.h) has a time limit. */
#ifndef HUBBUB_FACE_REQUESTS_H
#define HUBBUB_FACE_REQUESTS_H

#include <ev.h>

#include "hub/base/list.h"
#include "master/face/dump.h"
#include "master/face/rights.h"

struct master;

/* The clients of one control socket; embedded in struct control. */
struct requests {
	struct master *master;
	struct list clients; /* the oldest first */
	/* Runs while a client waits for the end of a change or of the server, or for the answer of
	 * a command of the service. */
	ev_timer progress;
	struct dump dump; /* that may be under way */
};

/* Prepares for clients; opens nothing. */
void requests_init(struct requests *requests, struct master *master);

/* Takes a client with these rights, by its connected socket, which is owned from now on. If there
 * are too many clients, the oldest that has not sent its line is disconnected, or else the oldest
 * that has not read its answer; clients that wait never fill all places, so there is always such a
 * client or a free place. */
void requests_take(struct requests *requests, int fd, enum rights rights);

/* Answers the clients that wait for a change; why is NULL if it succeeded. */
void requests_changed(struct requests *requests, const char *why);

/* Tells all clients that wait that the server has ended, or that another master has taken over, and
 * disconnects all. */
void requests_fini(struct requests *requests);

#endif
