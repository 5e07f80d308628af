/* TLS on a connection: after the handshake every call of io/socket.h on the descriptor encrypts and
 * decrypts.
 *
 *	struct hub_tls *tls = hub_tls_server_new("cert.pem", "key.pem");
 *	...
 *	if (hub_tls_accept(client, tls) == 0)
 *		... hub_recv(client, ...) ... hub_send(client, ...) ... hub_close(client) ...
 *
 * TLS 1.2 and 1.3, by OpenSSL. hub_close says to the peer that this is the end, and so does
 * hub_shutdown; a peer that ends without saying so makes receiving fail with ECONNRESET, because
 * somebody else might have cut the stream. What a record holds is sent or received as a whole, so a
 * send with MSG_DONTWAIT may take up to 16 KiB more than the kernel has room for, and sends that
 * later. Calls that are not the hub's see the encrypted bytes. */
#ifndef HUBBUB_IO_TLS_H
#define HUBBUB_IO_TLS_H

#include <stdbool.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* Certificates, and whom to trust; for any number of connections, in any thread and in forked
 * processes, which then share the keys of session tickets. */
struct hub_tls;

/* Makes one for servers: certificate is a PEM file with the server's certificate and those between
 * it and the authority's; key is the PEM file of its private key, without a passphrase.
 * Switches: no; it reads files.  Ownership: the caller's, freed by hub_tls_free.
 * Returns NULL with errno of open(2), EINVAL (a file is not what it should be, or the two do not
 * belong together) or ENOMEM; hub_tls_why says more. */
struct hub_tls *hub_tls_server_new(const char *certificate, const char *key);

/* Makes one for clients, which trusts the authorities in a PEM file; NULL: those of the system.
 * Switches: no; it reads files.  Ownership and errors: as hub_tls_server_new. */
struct hub_tls *hub_tls_client_new(const char *authorities);

/* Lets a client talk to whoever answers, unchecked: for tests. Before its first connection.
 * Switches: no.  Errors: none. */
void hub_tls_trust_anybody(struct hub_tls *tls);

/* Frees it; connections that use it go on. NULL is ignored. Switches: no.  Errors: none. */
void hub_tls_free(struct hub_tls *tls);

/* Waits for a client's handshake on fd, a connected stream socket; afterwards the connection is
 * encrypted.
 * Switches: yes.  A deadline is the caller's to set (hub_timeout_start).
 * Returns 0; or -1 with errno EPROTO (they cannot agree, or it is no TLS), ECONNRESET (also after
 * hub_end_input), EALREADY (fd has TLS), EINVAL (fd is no stream socket), ENOMEM, EBADF, ECANCELED,
 * ETIMEDOUT, EDEADLK or EPERM; then fd is of no use any more, and hub_tls_why says more. */
int hub_tls_accept(int fd, struct hub_tls *tls);

/* Begins a handshake with a server, whose certificate must be valid for name, a host's name or
 * address; NULL checks no name. Switches: yes.
 * Returns and errors: as hub_tls_accept; EPROTO also if the server is not trusted. */
int hub_tls_connect(int fd, struct hub_tls *tls, const char *name);

/* What the last call of this header that failed in this thread failed of, in words; valid until the
 * next one, by whichever coroutine. Switches: no.  Errors: none. */
const char *hub_tls_why(void);

/* Whether a descriptor is encrypted, and how: "TLSv1.3"; NULL if it is not. Switches: no.  Errors:
 * none. */
const char *hub_tls_version(int fd);

HUBBUB_API_END

#endif
