/* A table indexed by file descriptor, one for each hub; the thread-local own is that of the calling
 * thread's hub. An entry holds only while its opening does: a service may close its descriptor, and
 * the next connection may get the same one. The table shrinks when it is empty. */
#include "worker/peers.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "hub/base/check.h"
#include "hub/io/opening.h"
#include "worker/client.h"
#include "worker/listener.h"
#include "worker/peer.h"

#define SIZE_FIRST 64
#define SIZE_KEPT 1024

static_assert(HUBBUB_PEER_TEXT_SIZE == CLIENT_NAME_SIZE, "every name fits");

struct peer {
	const struct sockaddr_storage *address; /* NULL where none is known; borrowed */
	const char *listener;                   /* NULL where it has no name; borrowed */
	/* Of the descriptor, which may be another connection's already. */
	struct fd_opening opening;
};

static _Thread_local struct peers *own;

void
peers_use(struct peers *peers)
{
	own = peers;
}

static bool
is_used(const struct peer *peer)
{
	return peer->address != NULL || peer->listener != NULL;
}

/* Whether count is what the table has. */
static bool
are_counted(const struct peers *peers)
{
	int count = 0;

	for (int i = 0; i < peers->size; i++)
		count += is_used(&peers->all[i]);
	return count == peers->count;
}

/* Makes the table reach as far as that descriptor. Returns 0, or -1 with errno ENOMEM. */
static int
grow(struct peers *peers, int client)
{
	int size = peers->size != 0 ? peers->size : SIZE_FIRST;
	struct peer *grown;

	while (size <= client)
		size *= 2;
	grown = realloc(peers->all, (size_t)size * sizeof *grown);
	if (grown == NULL)
		return -1;
	memset(grown + peers->size, 0, (size_t)(size - peers->size) * sizeof *grown);
	peers->all = grown;
	peers->size = size;
	return 0;
}

/* Returns the entry of the descriptor's present opening, without what was remembered of a former
 * one; NULL with errno ENOMEM. The caller puts something into it. */
static struct peer *
enter(struct peers *peers, int client)
{
	struct peer *peer;

	CHECK(client >= 0);
	if (client >= peers->size && grow(peers, client) != 0)
		return NULL;
	peer = &peers->all[client];
	peers->count += !is_used(peer);
	if (fd_was_closed(&peer->opening))
		*peer = (struct peer){0};
	peer->opening = fd_opening(client);
	return peer;
}

int
peers_remember(struct peers *peers, int client, const struct sockaddr_storage *address)
{
	struct peer *peer = enter(peers, client);

	if (peer == NULL)
		return -1;
	peer->address = address;
	DCHECK(are_counted(peers));
	return 0;
}

int
peers_remember_listener(struct peers *peers, int client, const char *listener)
{
	struct peer *peer = enter(peers, client);

	if (peer == NULL)
		return -1;
	peer->listener = listener;
	DCHECK(are_counted(peers));
	return 0;
}

void
peers_forget(struct peers *peers, int client)
{
	if (client >= peers->size || !is_used(&peers->all[client]))
		return;
	peers->all[client] = (struct peer){0};
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

/* What is remembered of a connection of this thread's hub; NULL for nothing. */
static const struct peer *
find(int client)
{
	if (own == NULL || client < 0 || client >= own->size ||
		fd_was_closed(&own->all[client].opening))
		return NULL;
	return &own->all[client];
}

int
hubbub_peer(int client, struct sockaddr *address, socklen_t *length)
{
	const struct peer *peer = find(client);
	const struct sockaddr_storage *known = peer != NULL ? peer->address : NULL;
	socklen_t whole;

	if (known == NULL)
		return getpeername(client, address, length);
	whole = length_of(known);
	memcpy(address, known, *length < whole ? *length : whole);
	*length = whole;
	return 0;
}

const char *
hubbub_address_text(const struct sockaddr_storage *address, char *text, size_t size)
{
	char name[CLIENT_NAME_SIZE];

	snprintf(text, size, "%s", client_name(address, name));
	return text;
}

const char *
hubbub_peer_text(int client, char *text, size_t size)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof address;
	int error = errno;

	hubbub_peer(client, (struct sockaddr *)&address, &length);
	errno = error;
	return hubbub_address_text(&address, text, size);
}

const char *
hubbub_listener(int client)
{
	const struct peer *peer = find(client);

	return peer != NULL && peer->listener != NULL ? peer->listener : "";
}
