/* Requests: the commands of the control socket's clients, and what the clients are told until a
 * command is done.
 *
 * A client is answered at once, or waits for the end of the change under way, of the server, or of
 * the dump of all coroutines. One dump at a time; clients that ask meanwhile share it. No answer
 * depends on a worker: a dump ends after three seconds without the hubs that hang. */
#ifndef HUBBUB_FACE_REQUESTS_H
#define HUBBUB_FACE_REQUESTS_H

#include <ev.h>
#include <stdint.h>

#include "hub/base/list.h"
#include "master/face/rights.h"

struct master;

/* The clients of one control socket; embedded in struct control. */
struct requests {
	struct master *master;
	struct list clients; /* the oldest first */
	ev_timer progress; /* runs while a client waits for the end of a change, or of the server */
	/* The dump under way. */
	int dump;               /* the memfd that hubs write to; -1 without one */
	int64_t dump_number;    /* of this dump; hubs repeat it */
	unsigned dump_expected; /* hubs that were asked */
	unsigned dump_done;     /* hubs that have written */
	unsigned dump_missed;   /* hubs that cannot, without a file descriptor */
	ev_timer dump_over;     /* the end of its time */
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

/* A hub has written its coroutines for the dump of that number. */
void requests_dumped(struct requests *requests, int64_t number);

/* So many hubs will not write for that dump, because their worker had no file descriptor left. */
void requests_dump_missed(struct requests *requests, int64_t number, unsigned hubs);

/* Tells all clients that wait that the server has ended, or that another master has taken over, and
 * disconnects all. */
void requests_fini(struct requests *requests);

#endif
