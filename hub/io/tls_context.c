/* TLS configurations: certificates, keys and authorities, read from files once, and what all
 * connections have in common. A hub_tls owns one reference to its SSL_CTX; each connection's SSL
 * holds another, so a configuration can be freed while connections use it. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/kernel.h"
#include "hub/io/tls.h"
#include "hub/io/tls_bio_priv.h"
#include "hub/io/tls_priv.h"
#include "hub/io/tls_why_priv.h"

/* The configuration that servers and clients have in common. NULL with errno ENOMEM. */
static struct hub_tls *
tls_new(const SSL_METHOD *method)
{
	struct hub_tls *tls = calloc(1, sizeof *tls);

	ERR_clear_error();
	if (tls != NULL && tls_bio_prepare())
		tls->context = SSL_CTX_new(method);
	if (tls == NULL || tls->context == NULL) {
		tls_explain("no memory for TLS");
		free(tls);
		errno = ENOMEM;
		return NULL;
	}
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
						  SSL_OP_CIPHER_SERVER_PREFERENCE |
						  SSL_OP_PRIORITIZE_CHACHA);
	/* An idle connection keeps no buffers; one system call reads the head and the body of a
	 * record. */
	SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_read_ahead(tls->context, 1);
	return tls;
}

/* Whether a file can be read, with a clearer message than OpenSSL's. Keeps errno. */
static bool
is_readable(const char *path)
{
	int fd = kernel_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd == -1) {
		int error = errno;

		tls_say_why("cannot read %s: %s", path, strerror(error));
		errno = error;
		return false;
	}
	kernel_close(fd);
	return true;
}

/* Without this callback OpenSSL would ask for a passphrase on the terminal. */
static int
no_passphrase(char *buffer, int size, int is_writing, void *context)
{
	(void)buffer, (void)size, (void)is_writing, (void)context;
	return -1;
}

static struct hub_tls *
give_up(struct hub_tls *tls, const char *path, const char *what)
{
	char text[200];

	snprintf(text, sizeof text, "%.120s %s", path, what);
	tls_explain(text);
	hub_tls_free(tls);
	errno = EINVAL;
	return NULL;
}

struct hub_tls *
hub_tls_server_new(const char *certificate, const char *key)
{
	/* Sessions are resumed by tickets alone, which each process that shares the keys can
	 * read. */
	static const unsigned char identity[] = "hubbub";
	struct hub_tls *tls;

	if (!is_readable(certificate) || !is_readable(key))
		return NULL;
	tls = tls_new(TLS_server_method());
	if (tls == NULL)
		return NULL;
	tls->is_server = true;
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(tls->context, identity, sizeof identity - 1);
	SSL_CTX_set_num_tickets(tls->context, 1);
	SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
		return give_up(tls, certificate, "has no certificate in PEM form");
	if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) != 1)
		return give_up(tls, key,
			"has no private key that fits the certificate and needs no passphrase");
	return tls;
}

struct hub_tls *
hub_tls_client_new(const char *authorities)
{
	struct hub_tls *tls;
	int result;

	if (authorities != NULL && !is_readable(authorities))
		return NULL;
	tls = tls_new(TLS_client_method());
	if (tls == NULL)
		return NULL;
	result = authorities != NULL ? SSL_CTX_load_verify_file(tls->context, authorities)
				     : SSL_CTX_set_default_verify_paths(tls->context);
	if (result != 1)
		return give_up(tls, authorities != NULL ? authorities : "the system",
			"has no certificates of authorities");
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	return tls;
}

void
hub_tls_trust_anybody(struct hub_tls *tls)
{
	tls->trusts_anybody = true;
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_NONE, NULL);
}

void
hub_tls_free(struct hub_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}
