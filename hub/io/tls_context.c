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

#include "hub/base/failed.h"
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

/* Tells what is wrong with a file. Returns -1 with errno EINVAL. */
static int
refuse(const char *path, const char *what)
{
	char text[200];

	snprintf(text, sizeof text, "%.120s %s", path, what);
	tls_explain(text);
	return failed(EINVAL);
}

/* Frees the configuration, and returns NULL with the errno of what has failed. */
static struct hub_tls *
give_up(struct hub_tls *tls)
{
	int error = errno;

	hub_tls_free(tls);
	errno = error;
	return NULL;
}

int
hub_tls_use_certificate(struct hub_tls *tls, const char *certificate, const char *key)
{
	if (!is_readable(certificate) || !is_readable(key))
		return -1;
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
		return refuse(certificate, "has no certificate in PEM form");
	if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) != 1)
		return refuse(key,
			"has no private key that fits the certificate and needs no passphrase");
	return 0;
}

struct hub_tls *
hub_tls_server_new(const char *certificate, const char *key)
{
	/* Sessions are resumed by tickets alone, which each process that shares the keys can
	 * read. */
	static const unsigned char identity[] = "hubbub";
	struct hub_tls *tls;

	tls = tls_new(TLS_server_method());
	if (tls == NULL)
		return NULL;
	tls->is_server = true;
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(tls->context, identity, sizeof identity - 1);
	SSL_CTX_set_num_tickets(tls->context, 1);
	if (hub_tls_use_certificate(tls, certificate, key) != 0)
		return give_up(tls);
	return tls;
}

/* ---- whom to trust ---- */

/* Trusts the authorities in a file; NULL: those of the system. Returns 0, or -1 and errno. */
static int
trust(struct hub_tls *tls, const char *authorities)
{
	if (authorities != NULL && !is_readable(authorities))
		return -1;
	ERR_clear_error();
	if ((authorities != NULL ? SSL_CTX_load_verify_file(tls->context, authorities)
				 : SSL_CTX_set_default_verify_paths(tls->context)) != 1)
		return refuse(authorities != NULL ? authorities : "the system",
			"has no certificates of authorities");
	return 0;
}

/* OpenSSL's callback, about a client's certificate: the handshake goes on, and hub_tls_subject
 * tells the outcome. */
static int
go_on(int is_trusted, X509_STORE_CTX *context)
{
	(void)is_trusted, (void)context;
	return 1;
}

/* OpenSSL's callback, about a ticket that a client has sent: a session whose client certificate has
 * expired since is not resumed, so the certificate is verified again. */
static SSL_TICKET_RETURN
judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t length,
	SSL_TICKET_STATUS status, void *context)
{
	const X509 *certificate = session != NULL ? SSL_SESSION_get0_peer(session) : NULL;

	(void)ssl, (void)name, (void)length, (void)context;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (certificate != NULL && X509_cmp_current_time(X509_get0_notAfter(certificate)) != 1)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* Names the trusted authorities to clients, which choose a certificate by them. Returns whether
 * there is one. */
static bool
name_authorities(SSL_CTX *context)
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
	int count = 0;

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		count += authority != NULL && SSL_CTX_add_client_CA(context, authority) == 1;
	}
	return count > 0;
}

int
hub_tls_ask_clients(struct hub_tls *tls, const char *authorities, bool is_required)
{
	if (!tls->is_server) {
		tls_say_why("only a server asks clients for certificates");
		return failed(EINVAL);
	}
	if (trust(tls, authorities) != 0)
		return -1;
	if (!name_authorities(tls->context))
		return refuse(authorities, "has no certificates of authorities");
	if (is_required)
		SSL_CTX_set_verify(
			tls->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	else
		SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, go_on);
	SSL_CTX_set_session_ticket_cb(tls->context, NULL, judge_ticket, NULL);
	return 0;
}

struct hub_tls *
hub_tls_client_new(const char *authorities)
{
	struct hub_tls *tls = tls_new(TLS_client_method());

	if (tls == NULL)
		return NULL;
	if (trust(tls, authorities) != 0)
		return give_up(tls);
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
