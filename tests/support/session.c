/* Each visit is a connection with a new OpenSSL context, so that nothing but the kept session
 * carries over. */
#include "tests/support/session.h"

#include <ctype.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"

/* TLS 1.3 sends tickets after the handshake: reading the answer also receives them. */
static bool
exchange(SSL *ssl)
{
	char byte = 'x';

	return SSL_write(ssl, &byte, 1) == 1 && SSL_read(ssl, &byte, 1) == 1 &&
	       toupper((unsigned char)byte) == 'X';
}

static enum session_visit
visit(struct session *session, SSL *ssl, int fd, bool is_once)
{
	if (fd == -1 || SSL_set_fd(ssl, fd) != 1 ||
		(session->kept != NULL && SSL_set_session(ssl, session->kept) != 1) ||
		SSL_connect(ssl) != 1 || !exchange(ssl))
		return SESSION_FAILED;
	if (!is_once) {
		session_clean(session);
		session->kept = SSL_get1_session(ssl);
	}
	SSL_shutdown(ssl);
	return SSL_session_reused(ssl) ? SESSION_RESUMED : SESSION_NEW;
}

/* Whether the client has its certificate, if any. */
static bool
shows(SSL *ssl, const struct certificate *certificate)
{
	return certificate == NULL ||
	       (SSL_use_certificate_file(ssl, certificate->file, SSL_FILETYPE_PEM) == 1 &&
		       SSL_use_PrivateKey_file(ssl, certificate->key, SSL_FILETYPE_PEM) == 1);
}

enum session_visit
session_visit(struct session *session, int port, bool is_once)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = context != NULL ? SSL_new(context) : NULL;
	enum session_visit result = SESSION_FAILED;
	int fd = client_connect(port);

	if (ssl != NULL && shows(ssl, session->certificate) &&
		SSL_set_min_proto_version(ssl, session->version) == 1 &&
		SSL_set_max_proto_version(ssl, session->version) == 1)
		result = visit(session, ssl, fd, is_once);
	SSL_free(ssl);
	SSL_CTX_free(context);
	if (fd != -1)
		close(fd);
	return result;
}

bool
session_key_name(const struct session *session, unsigned char name[static SESSION_NAME_SIZE])
{
	const unsigned char *ticket = NULL;
	size_t length = 0;

	if (session->kept != NULL)
		SSL_SESSION_get0_ticket(session->kept, &ticket, &length);
	if (length < SESSION_NAME_SIZE)
		return false;
	memcpy(name, ticket, SESSION_NAME_SIZE);
	return true;
}

void
session_clean(struct session *session)
{
	SSL_SESSION_free(session->kept);
	session->kept = NULL;
}
