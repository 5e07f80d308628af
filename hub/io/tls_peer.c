/* What the handshake of a connection has settled, and who the peer is. A peer chooses every byte of
 * its names, so what is told of them is printable ASCII. */
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/io/tls.h"
#include "hub/io/tls_priv.h"

const char *
hub_tls_version(int fd)
{
	const SSL *ssl = tls_ssl(fd);

	return ssl != NULL ? SSL_get_version(ssl) : NULL;
}

/* Copies what fits, and the NUL. Returns the whole length. */
static ssize_t
copy(BIO *from, char *text, size_t size)
{
	char *bytes;
	size_t length = (size_t)BIO_get_mem_data(from, &bytes);
	size_t part = length < size ? length : size - 1;

	CHECK_WHY(text != NULL || size == 0, "there is no room for the subject");
	if (size > 0) {
		memcpy(text, bytes, part);
		text[part] = '\0';
	}
	return (ssize_t)length;
}

ssize_t
hub_tls_subject(int fd, char *text, size_t size, bool *is_verified)
{
	const SSL *ssl = tls_ssl(fd);
	const X509 *certificate = ssl != NULL ? SSL_get0_peer_certificate(ssl) : NULL;
	ssize_t length = -1;
	bool is_trusted;
	BIO *out;

	if (certificate == NULL)
		return failed(ENODATA);
	is_trusted = SSL_get_verify_result(ssl) == X509_V_OK;
	if (is_verified == NULL && !is_trusted)
		return failed(EACCES);
	out = BIO_new(BIO_s_mem());
	/* RFC 2253 escapes control characters, the NUL among them, and all that is not ASCII. */
	if (out != NULL && X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0,
				   XN_FLAG_RFC2253) >= 0)
		length = copy(out, text, size);
	BIO_free(out);
	if (length < 0)
		return failed(ENOMEM);
	if (is_verified != NULL)
		*is_verified = is_trusted;
	return length;
}
