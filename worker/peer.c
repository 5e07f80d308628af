/* What a client's TLS handshake has told, as services ask for it. */
#include "worker/peer.h"

#include "hub/io/tls.h"

ssize_t
hubbub_peer_subject(int client, char *subject, size_t size, bool *is_verified)
{
	return hub_tls_subject(client, subject, size, is_verified);
}

const char *
hubbub_protocol(int client)
{
	return hub_tls_protocol(client);
}
