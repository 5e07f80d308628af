/* <hubbub/peer.h>: the address of a connection's client. */
#ifndef HUBBUB_PEER_H
#define HUBBUB_PEER_H

#include <hubbub/api.h>
#include <sys/socket.h>

HUBBUB_API_BEGIN

/* As getpeername(2), for a connection that a service serves. If a proxy has named the client in a
 * PROXY header (--proxy-protocol=on), gives the client's address instead of the proxy's. Only in
 * the hub that serves the connection.
 * Switches: no.  Returns 0, or -1 with the errno of getpeername(2). */
int hubbub_peer(int client, struct sockaddr *address, socklen_t *length);

HUBBUB_API_END

#endif
