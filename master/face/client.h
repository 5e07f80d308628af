/* A client: one connection to the control socket (control.h has the protocol). The client sends one
 * line, and gets lines.
 *
 * A client owns its socket, and frees itself: when its last line is sent; when its peer hangs up,
 * or sends more than 4 KiB after the line; when the peer takes more than ten seconds to send its
 * line, or to read anything of what it was sent, or more than thirty to read all of the last
 * answer. Then it leaves its owner's list. A peer that shuts down its sending side after its line
 * is answered like any other; if it has closed the connection, that shows with the next line sent
 * to it. Nothing here blocks: the loop drives it. */
#ifndef HUBBUB_FACE_CLIENT_H
#define HUBBUB_FACE_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "hub/base/list.h"
#include "master/base/ear.h"
#include "master/face/commands.h"

struct ask;

#define CLIENT_LINE_SIZE COMMANDS_LINE_SIZE

enum client_phase {
	CLIENT_ASKS,  /* its line is not whole yet */
	CLIENT_WAITS, /* on_line was called; lines may be sent to it */
	CLIENT_ENDS   /* its last line is appended: it is freed once all is sent */
};

struct client {
	struct list link; /* in its owner's list; the owner's to set, as awaits, rights, ask */
	unsigned awaits;  /* what it waits for (requests.c); 0 once its last line is appended */
	unsigned rights;  /* what it may ask for (enum rights) */
	/* The question whose answer it waits for; NULL before. */
	const struct ask *ask;
	/* Private to the client. */
	struct ev_loop *loop;
	void (*on_line)(struct client *client, char *line, void *context);
	void *context;
	struct ear input;
	struct ear output;
	ev_timer patience;
	enum client_phase phase;
	char line[CLIENT_LINE_SIZE];
	size_t line_length;
	size_t surplus; /* bytes that came after the line, discarded */
	int passes;     /* a descriptor that goes with the next line; -1 for none; owned */
	char *pending;  /* lines that are not sent yet; owned */
	size_t pending_length, pending_room;
	bool has_lost; /* a line of its answer was dropped: it is not told that all is done */
};

/* Makes a client of a connected socket, which it owns from now on. on_line is called once, with the
 * line without its newline, which it may change; it must call client_finish at once or later. NULL
 * if out of memory; then fd is closed. */
struct client *client_new(struct ev_loop *loop, int fd,
	void (*on_line)(struct client *client, char *line, void *context), void *context);

/* Appends a line of that kind (control.h) to the output; client_flush and client_finish send it.
 * The line is dropped if more than 16 MiB would wait, or memory runs out; if it was one of the
 * answer ('|'), the last line will say that the answer is not whole. */
void client_say(struct client *client, char kind, const char *text, size_t length);

/* Appends each line of a text, as client_say does. */
void client_say_lines(struct client *client, char kind, const char *text, size_t length);

/* Passes a descriptor, owned from now on, with the lines that are not sent yet, of which there must
 * be one before it can arrive. */
void client_pass(struct client *client, int fd);

/* Sends what the socket takes now. May free the client. */
void client_flush(struct client *client);

/* Appends the last line, '?' with why the client's line is none, and sends. Control characters of a
 * last line become spaces. May free the client, at the latest once all is sent. */
void client_refuse(struct client *client, const char *why);

/* Appends the last line, and sends: '!' with why, or, if why is NULL, '+' with done, unless a line
 * of the answer was dropped, which is a failure ('!'). May free the client, at the latest once all
 * is sent. */
void client_finish(struct client *client, const char *why, const char *done);

/* Closes the connection, drops unsent lines, and frees the client. */
void client_free(struct client *client);

#endif
