/* What one client is still to be sent. It has a bound, so a client that reads slowly costs no more
 * memory than that, and nobody waits for it: once there is no room, it is closed. */
#ifndef WEBSOCKET_OUTBOX_H
#define WEBSOCKET_OUTBOX_H

#include <hubbub/hub.h>
#include <stdbool.h>
#include <stddef.h>

struct message;

struct outbox {
	int client;
	size_t most; /* bytes */
	size_t used; /* with what a message costs besides */
	struct entry *first, **last;
	bool is_full;  /* there was no room: the client's input was ended, and no more is taken */
	bool is_ended; /* by outbox_end */
	struct hub_event changed;
	struct outbox *next, **previous; /* the room's */
};

void outbox_open(struct outbox *outbox, int client, size_t most);

/* Adds a message, which gets a holder, or ends the client's input (hub_end_input).
 * Switches: no. */
void outbox_put(struct outbox *outbox, struct message *message);

/* The next message, whose holder the caller is then. Switches: yes, while there is none.
 * Returns NULL after the last one (outbox_end), or if the wait fails. */
struct message *outbox_take(struct outbox *outbox);

/* Forgets what was not taken, and takes messages again. */
void outbox_drop(struct outbox *outbox);

/* Takes no more messages; outbox_take goes on with those that there are. */
void outbox_end(struct outbox *outbox);

#endif
