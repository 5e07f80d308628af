/* A table indexed by file descriptor, one for each hub; the thread-local own is that of the calling
 * thread's hub. An entry holds only while its opening does: a service may close its descriptor, and
 * the next connection may get the same one. The table shrinks when it is empty. */
#include "worker/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "hub/base/check.h"
#include "hub/io/opening.h"
#include "worker/peer.h"

#define SIZE_FIRST 64
#define SIZE_KEPT 1024

struct peer {
	const struct sockaddr_storage *address; /* NULL where none is known; borrowed */
	/* Of the descriptor, which may be another connection's already. */
	struct fd_opening opening;
};

static _Thread_local struct peers *own;

void
peers_use(struct peers *peers)
{
	own = peers;
}

/* Whether count is what the table has. */
static bool
are_counted(const struct peers *peers)
{
	int count = 0;

	for (int i = 0; i < peers->size; i++)
		count += peers->all[i].address != NULL;
	return count == peers->count;
}

int
peers_remember(struct peers *peers, int client, const struct sockaddr_storage *address)
{
	int size = peers->size != 0 ? peers->size : SIZE_FIRST;
	struct peer *grown;

	if (client >= peers->size) {
		while (size <= client)
			size *= 2;
		grown = realloc(peers->all, (size_t)size * sizeof *grown);
		if (grown == NULL)
			return -1;
		memset(grown + peers->size, 0, (size_t)(size - peers->size) * sizeof *grown);
		peers->all = grown;
		peers->size = size;
	}
	peers->count += peers->all[client].address == NULL;
	peers->all[client] = (struct peer){address, fd_opening(client)};
	DCHECK(are_counted(peers));
	return 0;
}

void
peers_forget(struct peers *peers, int client)
{
	if (client >= peers->size || peers->all[client].address == NULL)
		return;
	peers->all[client].address = NULL;
	CHECK(peers->count > 0);
	/* The descriptors of later connections may be small again. */
	if (--peers->count == 0 && peers->size > SIZE_KEPT) {
		free(peers->all);
		peers->all = NULL;
		peers->size = 0;
	}
	DCHECK(are_counted(peers));
}

void
peers_fini(struct peers *peers)
{
	if (own == peers)
		own = NULL;
	free(peers->all);
	*peers = (struct peers){0};
}

static socklen_t
length_of(const struct sockaddr_storage *address)
{
	switch (address->ss_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return sizeof(struct sockaddr_un);
	}
}

int
hubbub_peer(int client, struct sockaddr *address, socklen_t *length)
{
	const struct sockaddr_storage *known = NULL;
	socklen_t whole;

	if (own != NULL && client >= 0 && client < own->size &&
		!fd_was_closed(&own->all[client].opening))
		known = own->all[client].address;
	if (known == NULL)
		return getpeername(client, address, length);
	whole = length_of(known);
	memcpy(address, known, *length < whole ? *length : whole);
	*length = whole;
	return 0;
}
