/* A client: one connection of the control socket (control.h has the protocol). It sends one line,
 * and gets lines.
 *
 * A client owns its descriptor, and frees itself: when its last line is sent, when it hangs up,
 * when it sends on and on after its line, and when it takes more than ten seconds to send its line
 * or to read anything of what it was sent, or more than thirty to read all of its answer. It
 * leaves its owner's list then. A peer that only sends no more, once it has sent its line, is
 * answered as any other; that it is gone altogether is noticed when it is told something. Nothing
 * here waits; it is run by the loop. */
#ifndef HUBBUB_FACE_CLIENT_H
#define HUBBUB_FACE_CLIENT_H

#include <ev.h>
#include <stddef.h>

#include "hub/base/list.h"
#include "master/base/ear.h"

#define CLIENT_LINE_SIZE 256

enum client_phase { CLIENT_ASKS, CLIENT_WAITS, CLIENT_ENDS };

struct client {
	struct list link; /* its owner's list, if it is in one */
	unsigned awaits;  /* its owner's: what it waits for; 0 once it was told the end */
	unsigned rights;  /* its owner's: what it may ask for */
	/* The client's own. */
	struct ev_loop *loop;
	void (*on_line)(struct client *client, char *line, void *context);
	void *context;
	struct ear input;
	struct ear output;
	ev_timer patience;
	enum client_phase phase;
	char line[CLIENT_LINE_SIZE];
	size_t line_length;
	size_t surplus; /* bytes that came after the line */
	char *pending;  /* not yet sent */
	size_t pending_length;
};

/* Makes one of a connected socket, which it owns from now on. on_line is called once, with the
 * line, which it may change; it is to answer now or later. NULL without memory: then fd is
 * closed. */
struct client *client_new(struct ev_loop *loop, int fd,
	void (*on_line)(struct client *client, char *line, void *context), void *context);

/* Appends a line of that kind, or what does not fit into 16 MiB is lost. client_flush and
 * client_finish send it. */
void client_say(struct client *client, char kind, const char *text, size_t length);

/* The same, of each line of a text. */
void client_say_lines(struct client *client, char kind, const char *text, size_t length);

/* Sends what can be sent now. May free the client. */
void client_flush(struct client *client);

/* Appends the last line: why it failed, or, if why is NULL, what was done; and sends. May free the
 * client. */
void client_finish(struct client *client, const char *why, const char *done);

/* Hangs up. */
void client_free(struct client *client);

#endif
