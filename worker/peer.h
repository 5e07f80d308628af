/* <hubbub/peer.h>: who a connection's client is. */
#ifndef HUBBUB_PEER_H
#define HUBBUB_PEER_H

#include <hubbub/api.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

HUBBUB_API_BEGIN

/* As getpeername(2), for a connection that a service serves. If a proxy has named the client in a
 * PROXY header (--proxy-protocol=on), gives the client's address instead of the proxy's. Only in
 * the hub that serves the connection.
 * Switches: no.  Returns 0, or -1 with the errno of getpeername(2). */
int hubbub_peer(int client, struct sockaddr *address, socklen_t *length);

#define HUBBUB_PEER_TEXT_SIZE 55 /* bytes that hold every text of hubbub_peer_text */

/* Writes hubbub_peer's address as the log does: "127.0.0.1:5000", "[::1]:5000" or "unix"; "?" if
 * there is no address, as after a reset. Writes at most size bytes with the NUL: what does not fit
 * is cut off.
 * Switches: no.  Only in the hub that serves the connection.  Returns text.  Errors: none; errno is
 * unchanged. */
const char *hubbub_peer_text(int client, char *text, size_t size);

/* As hubbub_peer_text, for an address that the service has itself, such as that of a datagram's
 * sender.
 * Switches: no.  Returns text.  Errors: none. */
const char *hubbub_address_text(const struct sockaddr_storage *address, char *text, size_t size);

/* Tells the subject of the client's TLS certificate (--tls-client), as snprintf(3) does: writes at
 * most size bytes with the NUL, and returns the whole length without it. The text is printable
 * ASCII in the form of RFC 2253, such as "CN=client 7,O=Example", and no name can forge another:
 * see hub_tls_subject. *is_verified becomes whether an authority of --tls-client-ca vouches for it,
 * as it always does with --tls-client=require; with --tls-client=ask anybody can have made it up.
 * If is_verified is NULL, only a verified subject is told.
 * Switches: no.  Only in the hub that serves the connection.  Returns the length; or -1 with
 * errno ENODATA (the client has shown no certificate, or the connection is not encrypted), EACCES
 * (the certificate is not verified, and is_verified is NULL) or ENOMEM. */
ssize_t hubbub_peer_subject(int client, char *subject, size_t size, bool *is_verified);

/* The protocol on which the client's TLS handshake has agreed (ALPN): one of the service's
 * protocols (struct hubbub_service); NULL if the client has offered none, the two have none in
 * common, or the connection is not encrypted.
 * Switches: no.  Only in the hub that serves the connection.  Errors: none. */
const char *hubbub_protocol(int client);

HUBBUB_API_END

#endif
