/* TLS on a connection: after the handshake every call of io/socket.h on the fd encrypts and
 * decrypts.
 *
 *	struct hub_tls *tls = hub_tls_server_new("cert.pem", "key.pem");
 *	...
 *	if (hub_tls_accept(client, tls) == 0)
 *		... hub_recv(client, ...) ... hub_send(client, ...) ... hub_close(client) ...
 *
 * TLS 1.2 and 1.3, by OpenSSL. hub_close tells the peer that the stream ends, and so does
 * hub_shutdown. If a peer closes without doing so, receiving fails with ECONNRESET, because an
 * attacker might have cut the stream. A record is sent or received as a whole, so a send with
 * MSG_DONTWAIT may take up to 16 KiB more than the kernel has room for, and sends them later. Calls
 * that are not the hub's see the encrypted bytes. */
#ifndef HUBBUB_IO_TLS_H
#define HUBBUB_IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../api.h"

HUBBUB_API_BEGIN

/* Certificates, and the authorities to trust; for any number of connections, in any thread, and in
 * forked processes, which then share the keys of session tickets. */
struct hub_tls;

/* Makes a configuration for servers: certificate is a PEM file with the server's certificate and
 * those between it and the authority's; key is the PEM file of its private key, without a
 * passphrase.
 * Switches: no; it reads files.  Ownership: the caller's, freed by hub_tls_free.
 * Returns NULL with errno of open(2), EINVAL (a file has not the right content, or the two do not
 * belong together) or ENOMEM; hub_tls_why says more. */
struct hub_tls *hub_tls_server_new(const char *certificate, const char *key);

/* Makes a configuration for clients, which trusts the authorities in a PEM file; NULL: those of the
 * system.
 * Switches: no; it reads files.  Ownership and errors: as hub_tls_server_new. */
struct hub_tls *hub_tls_client_new(const char *authorities);

/* Gives a client a certificate, for servers that ask for one; both files are as
 * hub_tls_server_new's. Call it before the first connection.
 * Switches: no; it reads files.  Returns 0; or -1 with the errno of hub_tls_server_new. */
int hub_tls_use_certificate(struct hub_tls *tls, const char *certificate, const char *key);

/* Makes a server ask each client for a certificate, and verify it by the authorities in a PEM file.
 * is_required: a client without a certificate, or with one that is not trusted, is refused;
 * otherwise it is served, and hub_tls_subject tells. A session is resumed until its client's
 * certificate expires. Call it before the first connection.
 * Switches: no; it reads a file.   Returns 0; or -1 with the errno of hub_tls_client_new, EINVAL
 * also if tls is not a server's. */
int hub_tls_ask_clients(struct hub_tls *tls, const char *authorities, bool is_required);

/* Says which protocols are spoken over TLS (ALPN, RFC 7301): their names, the most preferred first,
 * ended by NULL, each of 1 to 255 bytes. A client offers them. A server chooses the first of its
 * own that the client offers too; if the client offers none of them, the handshake goes on without
 * a protocol, or, if is_needed, fails with EPROTO, and the client gets the alert
 * no_application_protocol. A client that offers none at all is served in either case. Borrowed for
 * as long as connections that use tls. Call it before the first connection.
 * Switches: no.  Returns 0; or -1 with errno EINVAL (a name has not that length, there are none,
 * or they are longer than 65535 bytes together) or ENOMEM. */
int hub_tls_set_protocols(struct hub_tls *tls, const char *const *protocols, bool is_needed);

/* Makes a client accept any certificate: for tests. Call it before the first connection.
 * Switches: no.  Errors: none. */
void hub_tls_trust_anybody(struct hub_tls *tls);

/* Frees the configuration; connections that use it go on. NULL is ignored. Switches: no.  Errors:
 * none. */
void hub_tls_free(struct hub_tls *tls);

/* Waits for a client's handshake on fd, a connected stream socket; afterwards the connection is
 * encrypted.
 * Switches: yes.  It has no deadline of its own: set one by hub_timeout_start.
 * Returns 0; or -1 with errno EPROTO (the two cannot agree, or the client does not speak TLS),
 * ECONNRESET (also after hub_end_input), EALREADY (fd has TLS), EINVAL (fd is no stream socket),
 * ENOMEM, EBADF, ECANCELED, ETIMEDOUT, EDEADLK or EPERM; then fd is unusable, and hub_tls_why says
 * more. */
int hub_tls_accept(int fd, struct hub_tls *tls);

/* Makes a handshake with a server, whose certificate must be valid for name, a host's name or
 * address; NULL checks no name. Switches: yes.
 * Returns and errors: as hub_tls_accept; EPROTO also if the server is not trusted. */
int hub_tls_connect(int fd, struct hub_tls *tls, const char *name);

/* The reason, in words, of the last failure of a call of this header in this thread; valid until
 * the next failure, of whichever coroutine. Switches: no.  Errors: none. */
const char *hub_tls_why(void);

/* The version of TLS on fd, such as "TLSv1.3"; NULL if fd is not encrypted. Switches: no.  Errors:
 * none. */
const char *hub_tls_version(int fd);

/* Tells the subject of the certificate that fd's peer has shown, as snprintf(3) does: writes at
 * most size bytes with the NUL, and returns the whole length without it; 0 if the subject is empty.
 * The form is that of RFC 2253, most specific part first, such as "CN=client 7,O=Example":
 * printable ASCII, with a backslash before characters that separate parts, and \XX for each byte
 * that is a control character or no ASCII. *is_verified becomes whether the certificate was
 * trusted: if not, anybody could have made it. If is_verified is NULL, such a subject is not told.
 * Switches: no.  Returns the length; or -1 with errno ENODATA (no certificate was shown, or fd is
 * not encrypted), EACCES (the certificate is not trusted, and is_verified is NULL) or ENOMEM. */
ssize_t hub_tls_subject(int fd, char *text, size_t size, bool *is_verified);

/* The protocol on which fd's handshake has agreed: one of the strings of hub_tls_set_protocols, or
 * NULL for none; NULL also if fd is not encrypted. Switches: no.  Errors: none. */
const char *hub_tls_protocol(int fd);

HUBBUB_API_END

#endif
