/* Requests: what clients of the control socket ask for, and what they are told until it is done.
 *
 * A client is answered at once, or waits: for the end of the change under way, of the server, or
 * of a dump of all coroutines, of which there is one at a time. No answer waits for a worker; a
 * dump goes without those that hang. */
#ifndef HUBBUB_FACE_REQUESTS_H
#define HUBBUB_FACE_REQUESTS_H

#include <ev.h>
#include <stdint.h>

#include "hub/base/list.h"
#include "master/face/rights.h"

struct master;

struct requests {
	struct master *master;
	struct list clients;
	ev_timer progress; /* while a client waits for the end of a change, or of the server */
	/* The dump under way. */
	int dump; /* the memfd that hubs write to; -1 without one */
	int64_t dump_number;
	unsigned dump_expected;
	unsigned dump_done;
	unsigned dump_missed;
	ev_timer dump_over;
};

void requests_init(struct requests *requests, struct master *master);

/* Hears a client of those rights, by a connected socket, which it owns from now on. Of too many the
 * oldest that has asked nothing yet gives way, or else the oldest that has not read its answer;
 * places are kept from those that wait, so that there is always such a one, or a free place. */
void requests_take(struct requests *requests, int fd, enum rights rights);

/* The change that clients wait for has ended; why is NULL if it succeeded. */
void requests_changed(struct requests *requests, const char *why);

/* A hub has written its coroutines, as it was asked with that number. */
void requests_dumped(struct requests *requests, int64_t number);

/* So many hubs will not, because their worker had no file left for it. */
void requests_dump_missed(struct requests *requests, int64_t number, unsigned hubs);

/* Tells all that wait that the server has ended, or is another master's, and hangs up. */
void requests_fini(struct requests *requests);

#endif
