/* What is remembered of connections, by file descriptor: the client's address, if a proxy has named
 * it, and the listener's name, if it has one. Each hub has its own table. */
#ifndef HUBBUB_WORKER_PEERS_H
#define HUBBUB_WORKER_PEERS_H

#include <sys/socket.h>

struct peer;

struct peers {
	struct peer *all; /* [size], by file descriptor; owned */
	int size;
	int count; /* entries in use */
};

/* Makes hubbub_peer and hubbub_listener look here, in the calling thread. Borrows peers until
 * peers_fini. */
void peers_use(struct peers *peers);

/* Remembers a client's address, and borrows it until peers_forget. Returns 0, or -1 with errno
 * ENOMEM. */
int peers_remember(struct peers *peers, int client, const struct sockaddr_storage *address);

/* Remembers, and borrows until peers_forget, the name of the listener that a client came through.
 * Returns 0, or -1 with errno ENOMEM. */
int peers_remember_listener(struct peers *peers, int client, const char *listener);

/* Forgets all of a connection. An unknown descriptor is ignored. */
void peers_forget(struct peers *peers, int client);

void peers_fini(struct peers *peers);

#endif
