/* Connects ticket keys (tickets.h) to OpenSSL. The keys belong to the SSL_CTX, under an index made
 * once per process, and are freed with it: connections keep the context, and so the keys, beyond
 * the struct hub_tls. */
#include "hub/io/resumption.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/tickets.h"
#include "hub/io/tls_priv.h"

static int place = -1; /* index of the keys in a context; -1 before it is made, or if that fails */

static void
forget(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number, void *pointer)
{
	(void)parent, (void)all, (void)index, (void)number, (void)pointer;
	tickets_free(data);
}

static void
make_place(void)
{
	place = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, forget);
}

static struct tickets *
tickets_of(const SSL_CTX *context)
{
	return place >= 0 ? SSL_CTX_get_ex_data(context, place) : NULL;
}

/* ---- tickets ---- */

/* Sets up OpenSSL's cipher and MAC with the key. Returns 1, or -1 if OpenSSL fails. */
static int
use_key(const struct ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int encrypts)
{
	OSSL_PARAM how[3];

	how[0] = OSSL_PARAM_construct_octet_string(
		OSSL_MAC_PARAM_KEY, (void *)key->mac, sizeof key->mac);
	how[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"sha256", 0);
	how[2] = OSSL_PARAM_construct_end();
	if (EVP_MAC_CTX_set_params(mac, how) != 1 ||
		EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, encrypts) != 1)
		return -1;
	return 1;
}

/* OpenSSL's callback: it is about to make a ticket, or has received one. Returns 1 (go on), 0 (no
 * session), 2 (the session, and a new ticket under the newest key), or -1. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int encrypts)
{
	const struct tickets *tickets = tickets_of(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	bool is_newest = true;
	int result = -1;

	if (encrypts) {
		if (!tickets_newest(tickets, &key))
			return 0;
		memcpy(name, key.name, sizeof key.name);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1)
			result = use_key(&key, iv, cipher, mac, 1);
	} else if (!tickets_find(tickets, name, &key, &is_newest)) {
		return 0;
	} else {
		result = use_key(&key, iv, cipher, mac, 0);
	}
	OPENSSL_cleanse(&key, sizeof key);
	return result == 1 && !is_newest ? 2 : result;
}

/* ---- what the keys are for ---- */

/* Adds to the identity how clients are verified, and by which authorities: a session that began
 * under other rules must not be resumed. Returns whether it did. */
static bool
add_authorities(const SSL_CTX *context, unsigned char identity[static TICKETS_IDENTITY_SIZE])
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
	const unsigned char mode = (unsigned char)SSL_CTX_get_verify_mode(context);
	EVP_MD_CTX *sum = EVP_MD_CTX_new();
	bool is_added = sum != NULL && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1 &&
			EVP_DigestUpdate(sum, identity, TICKETS_IDENTITY_SIZE) == 1 &&
			EVP_DigestUpdate(sum, &mode, sizeof mode) == 1;

	for (int i = 0; i < sk_X509_OBJECT_num(all) && is_added; i++) {
		const X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
		unsigned char digest[TICKETS_IDENTITY_SIZE];

		is_added = authority == NULL ||
			   (X509_digest(authority, EVP_sha256(), digest, NULL) == 1 &&
				   EVP_DigestUpdate(sum, digest, sizeof digest) == 1);
	}
	is_added = is_added && EVP_DigestFinal_ex(sum, identity, NULL) == 1;
	EVP_MD_CTX_free(sum);
	return is_added;
}

/* Stores the digest of the server's certificate, and of how clients are verified. Returns whether
 * there is a certificate. */
static bool
identify(const struct hub_tls *tls, unsigned char identity[static TICKETS_IDENTITY_SIZE])
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls->context);
	unsigned length = TICKETS_IDENTITY_SIZE;

	return certificate != NULL &&
	       X509_digest(certificate, EVP_sha256(), identity, &length) == 1 &&
	       (SSL_CTX_get_verify_mode(tls->context) == SSL_VERIFY_NONE ||
		       add_authorities(tls->context, identity));
}

/* Makes tickets the keys of the context, which owns them from now on. Without memory, as only the
 * first keys of a context need, frees them. Returns 0, or -1 and errno. */
static int
use(struct hub_tls *tls, struct tickets *tickets)
{
	struct tickets *former = tickets_of(tls->context);

	CHECK(place >= 0);
	if (SSL_CTX_set_ex_data(tls->context, place, tickets) != 1) {
		tickets_free(tickets);
		return failed(ENOMEM);
	}
	tickets_free(former);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(tls->context, on_ticket);
	return 0;
}

int
resumption_begin(struct hub_tls *tls, int64_t lifetime)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned char identity[TICKETS_IDENTITY_SIZE];
	struct tickets *tickets;

	if (tls == NULL)
		return 0;
	CHECK(tls->is_server);
	pthread_once(&once, make_place);
	tls->lifetime = lifetime;
	if (lifetime == 0) {
		SSL_CTX_set_options(tls->context, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(tls->context, 0);
		return 0;
	}
	if (place < 0 || !identify(tls, identity)) {
		errno = place < 0 ? ENOMEM : EINVAL;
		return -1;
	}
	tickets = tickets_new(identity);
	if (tickets == NULL)
		return -1;
	SSL_CTX_set_timeout(tls->context, (long)((lifetime + CLOCK_SECOND - 1) / CLOCK_SECOND));
	return use(tls, tickets);
}

void
resumption_keep(struct hub_tls *tls, const struct hub_tls *former)
{
	struct tickets *tickets =
		tls != NULL && former != NULL ? tickets_of(former->context) : NULL;
	unsigned char identity[TICKETS_IDENTITY_SIZE];

	if (tickets != NULL && tickets_of(tls->context) != NULL && identify(tls, identity) &&
		tickets_are_of(tickets, identity))
		use(tls, tickets_share(tickets));
}

void
resumption_inherit(struct hub_tls *tls, int file)
{
	unsigned char identity[TICKETS_IDENTITY_SIZE];
	struct tickets *tickets = NULL;

	if (tls != NULL && tickets_of(tls->context) != NULL && identify(tls, identity))
		tickets = tickets_map(file, identity);
	if (tickets != NULL)
		use(tls, tickets);
	else
		kernel_close(file);
}

int
resumption_file(const struct hub_tls *tls)
{
	const struct tickets *tickets = tls != NULL ? tickets_of(tls->context) : NULL;

	return tickets != NULL ? tickets_file(tickets) : -1;
}

void
resumption_rotate(struct hub_tls *tls)
{
	struct tickets *tickets = tls != NULL ? tickets_of(tls->context) : NULL;

	/* At 0 each call would make a key. */
	CHECK(tickets == NULL || tls->lifetime > 0);
	if (tickets != NULL)
		tickets_rotate(tickets, tls->lifetime);
}
