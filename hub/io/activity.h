/* What is going on over a descriptor, whichever coroutine uses it and however it waits: for
 * servers, which judge by it whether a connection is idle. */
#ifndef HUBBUB_IO_ACTIVITY_H
#define HUBBUB_IO_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"

/* Of a number that the hub does not know, all is zero. */
struct fd_activity {
	bool is_receiving; /* somebody waits to receive, perhaps among other things; or an epoll
			    * set has it that is not the hub's */
	bool is_sending;   /* somebody waits for the peer to take more, perhaps among others */
	bool has_come;     /* anything, since it entered the hub or since fd_begin_anew */
	bool is_asked;     /* something has come since something was last sent */
	bool is_new;       /* is_asked, of a request that no call of this has seen before */
	bool has_sent;     /* something was sent since the last call of this */
	bool is_busy;      /* fd_set_busy */
	bool is_settled;   /* the service has said that it is not, and nothing has come or gone
			    * since */
	bool has_ended;    /* its input: hub_end_input */
	int64_t active_at; /* the hub's clock when bytes last came or went, or it entered */
};

/* In this thread's hub, for the one who looks after the descriptor: it remembers what it has told.
 * Does not switch. */
struct fd_activity fd_activity(int fd);

/* What has come so far was no request but came before the first one, such as a PROXY header. Does
 * not switch. */
void fd_begin_anew(int fd) HUB_INSIDE(fd_begin_anew);

/* The service's word on whether it is at work for the descriptor; when it is not any more, nothing
 * is asked of it, and it was active just now. Does not switch. */
void fd_set_busy(int fd, bool is_busy) HUB_INSIDE(fd_set_busy);

#endif
