/* Clients that a proxy in front has named, by descriptor; each hub has its own. */
#ifndef HUBBUB_WORKER_PEERS_H
#define HUBBUB_WORKER_PEERS_H

#include <sys/socket.h>

struct peer;

struct peers {
	struct peer *all; /* [size] */
	int size;
	int count; /* of those known */
};

/* hubbub_peer asks these, in the calling thread. */
void peers_use(struct peers *peers);

/* Remembers an address, which must stay until peers_forget. Returns 0, or -1 with errno ENOMEM. */
int peers_remember(struct peers *peers, int client, const struct sockaddr_storage *address);

/* An unknown descriptor is ignored. */
void peers_forget(struct peers *peers, int client);

void peers_fini(struct peers *peers);

#endif
