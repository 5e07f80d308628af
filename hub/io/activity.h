/* The activity of a descriptor, whichever coroutine uses it and in whichever way it waits. Servers
 * use it to find idle connections. */
#ifndef HUBBUB_IO_ACTIVITY_H
#define HUBBUB_IO_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/base/inside.h"

/* All zero for an fd that the hub does not know. */
struct fd_activity {
	/* A coroutine waits to receive, perhaps in a select; or an epoll set of the application's
	 * has the fd. */
	bool is_receiving;
	bool is_sending; /* a coroutine waits for room to send, perhaps in a select */
	bool has_come;   /* bytes have come since it entered the hub, or since fd_begin_anew */
	/* Bytes have come since bytes were last sent, or a stream waits for the rest of what it
	 * holds. */
	bool is_asked;
	bool is_new;       /* is_asked, for a request that no earlier call has seen */
	bool has_sent;     /* bytes were sent since the last call of this */
	bool is_busy;      /* the service says that it works for the peer (fd_set_busy) */
	bool is_settled;   /* the service has ended that work, and no bytes came or went since */
	bool has_ended;    /* its input was ended (hub_end_input) */
	int64_t active_at; /* the hub's clock when bytes last came or went, or it entered */
};

/* Reads the activity of an fd of this thread's hub. It remembers what it has returned, so each fd
 * has one caller. Does not switch. */
struct fd_activity fd_activity(int fd);

/* The bytes so far were no request but came before the first one, such as a PROXY header. Does not
 * switch. */
void fd_begin_anew(int fd) HUB_INSIDE(fd_begin_anew);

/* The service says that it is working for the peer, since `now`, which is not 0, unless it was
 * before. Does not switch. */
void fd_set_busy(int fd, int64_t now) HUB_INSIDE(fd_set_busy);

/* It says that it is not: no request is open, and the descriptor counts as active just now. Returns
 * since when it was, or 0 if it was not. Does not switch. */
int64_t fd_set_idle(int fd) HUB_INSIDE(fd_set_idle);

/* It is not any more, since nobody serves the peer any longer. Returns since when it was; 0 if it
 * was not. Does not switch. */
int64_t fd_end_busy(int fd) HUB_INSIDE(fd_end_busy);

#endif
