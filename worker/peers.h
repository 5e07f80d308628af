/* The addresses of clients that a proxy has named, by file descriptor; each hub has its own
 * table. */
#ifndef HUBBUB_WORKER_PEERS_H
#define HUBBUB_WORKER_PEERS_H

#include <sys/socket.h>

struct peer;

struct peers {
	struct peer *all; /* [size], by file descriptor; owned */
	int size;
	int count; /* entries with an address */
};

/* Makes hubbub_peer look here, in the calling thread. Borrows peers until peers_fini. */
void peers_use(struct peers *peers);

/* Remembers a client's address, and borrows it until peers_forget. Returns 0, or -1 with errno
 * ENOMEM. */
int peers_remember(struct peers *peers, int client, const struct sockaddr_storage *address);

/* Forgets a client's address. An unknown descriptor is ignored. */
void peers_forget(struct peers *peers, int client);

void peers_fini(struct peers *peers);

#endif
