/* Each visit has a new OpenSSL context; nothing of the server is verified. */
#include "tests/support/visit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"

static bool
prepare(const struct visit *visit, SSL *ssl, int fd)
{
	const unsigned char *protocols = (const unsigned char *)visit->protocols;

	return fd != -1 && SSL_set_fd(ssl, fd) == 1 &&
	       (visit->certificate == NULL ||
		       (SSL_use_certificate_file(ssl, visit->certificate->file, SSL_FILETYPE_PEM) ==
				       1 &&
			       SSL_use_PrivateKey_file(
				       ssl, visit->certificate->key, SSL_FILETYPE_PEM) == 1)) &&
	       (protocols == NULL || SSL_set_alpn_protos(ssl, protocols,
					     (unsigned)strlen(visit->protocols)) == 0);
}

/* Returns whether the server has ended the stream, not cut it off. */
static bool
listen_to(struct visit *visit, SSL *ssl)
{
	size_t length = 0;
	int got;

	while ((got = SSL_read(ssl, visit->text + length, (int)(sizeof visit->text - 1 - length))) >
		0)
		length += (size_t)got;
	visit->text[length] = '\0';
	return SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN;
}

bool
visit_make(struct visit *visit)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = context != NULL ? SSL_new(context) : NULL;
	int fd = visit->port != 0 ? client_connect(visit->port) : client_connect_path(visit->path);
	bool is_well;

	visit->text[0] = visit->why[0] = '\0';
	ERR_clear_error();
	is_well = ssl != NULL && prepare(visit, ssl, fd) && SSL_connect(ssl) == 1 &&
		  listen_to(visit, ssl);
	if (!is_well)
		ERR_error_string_n(ERR_peek_last_error(), visit->why, sizeof visit->why);
	SSL_free(ssl);
	SSL_CTX_free(context);
	if (fd != -1)
		close(fd);
	return is_well;
}
