/* What tests share of descriptors that are closed while a call uses them: the scene in which a call
 * is made, and the table of calls. */
#ifndef HUBBUB_TESTS_UNIT_HUB_IO_MEANWHILE_H
#define HUBBUB_TESTS_UNIT_HUB_IO_MEANWHILE_H

#include <sys/un.h>

#include "hub/hub.h"

/* How many bytes are sent: more than the descriptor takes at once. */
#define BIG ((size_t)400 * 1000)

/* What the descriptor is when the call is made. */
enum state {
	IDLE,      /* nothing to receive */
	HALF,      /* three bytes of those that are asked for */
	FULL,      /* no room for a byte */
	ROOM,      /* for a part of what is sent */
	LISTENING, /* nobody comes */
	CROWDED,   /* a Unix socket, about to connect to one whose backlog is full */
	FRESH,     /* a connected socket before its handshake */
};

/* When it is closed. */
enum moment {
	WAITING, /* while the call waits */
	WOKEN,   /* when what it waits for has happened, and it has not run yet */
	TURN,    /* while it lets others run before it begins */
	MOMENTS
};

/* What kind of descriptor it is. A pipe is told from the number's next owner by the set of kinds:
 * see identity.c. */
enum kinds { PLAIN = 1, TLS = 2, PIPE = 4, SOCKETS = PLAIN | TLS, ALL = SOCKETS | PIPE };

struct scene {
	struct hub_tls *server, *client;
	enum kinds kind;
	enum moment moment;
	bool is_behind; /* closed without the hub's knowledge, as dup2(2) does it */
	int count;      /* of callers */
	int fd, peer;
	int heir_peer;
	int file;
	struct sockaddr_un crowded;
	socklen_t crowded_length;
	int crowd[8];
	int crowd_count;
	char wrong[8192];
};

/* A result above 0 of a call that sends or receives: some, and not all. */
enum { PART = 1000 };

struct call {
	const char *name;
	long (*call)(struct scene *s);
	enum state state;
	enum kinds kinds;
	bool has_turn;
	bool is_for_two; /* several may wait in it at once */
	long result;
	int error;
};

/* Ends with one that has no name. */
extern const struct call meanwhile_calls[];

/* What is sent. */
extern char meanwhile_bytes[BIG];

/* Opens the descriptor and its peer, and brings them into that state. Switches. */
void meanwhile_set_scene(struct scene *s, enum state state);

/* A Unix socket that listens at a name that nobody else has. */
int meanwhile_listen(int backlog);

/* A connection to it; -1 if there is no room in its backlog. */
int meanwhile_connect(int listener);

#endif
