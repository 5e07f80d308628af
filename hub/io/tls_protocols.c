/* Which protocol is spoken over TLS: ALPN, as the two sides offer and choose. The names are the
 * application's; a context points to them, since it lives as long as its connections. */
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/io/tls.h"
#include "hub/io/tls_priv.h"
#include "hub/io/tls_why_priv.h"

#define NAME_MOST 255
#define ALL_MOST 65535

/* Returns how many bytes the names take, each with its length before it; 0 if they are none. */
static size_t
measure(const char *const *protocols)
{
	size_t all = 0;

	for (; *protocols != NULL; protocols++) {
		size_t length = strlen(*protocols);

		if (length == 0 || length > NAME_MOST)
			return 0;
		all += 1 + length;
	}
	return all <= ALL_MOST ? all : 0;
}

/* Whether the names, as ALPN writes them, contain this one; *found becomes the place there. */
static bool
offers(const unsigned char *names, size_t size, const char *name, const unsigned char **found)
{
	size_t length = strlen(name);

	DCHECK(length > 0 && length <= NAME_MOST);
	for (size_t at = 0; at < size; at += 1U + names[at]) {
		CHECK_WHY(at + 1U + names[at] <= size, "OpenSSL has checked the lengths");
		if (names[at] == length && memcmp(names + at + 1, name, length) == 0) {
			*found = names + at + 1;
			return true;
		}
	}
	return false;
}

/* OpenSSL's callback: a client offers protocols. */
static int
choose(SSL *ssl, const unsigned char **chosen, unsigned char *length, const unsigned char *offered,
	unsigned size, void *protocols)
{
	(void)ssl;
	for (const char *const *own = protocols; *own != NULL; own++)
		if (offers(offered, size, *own, chosen)) {
			*length = (unsigned char)strlen(*own);
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_NOACK;
}

/* The same, if one is needed: the client gets the alert no_application_protocol. */
static int
choose_or_refuse(SSL *ssl, const unsigned char **chosen, unsigned char *length,
	const unsigned char *offered, unsigned size, void *protocols)
{
	int result = choose(ssl, chosen, length, offered, size, protocols);

	return result == SSL_TLSEXT_ERR_OK ? result : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Makes a client offer the names, which take size bytes. Returns 0, or -1 with errno ENOMEM. */
static int
offer(SSL_CTX *context, const char *const *protocols, size_t size)
{
	unsigned char *names = malloc(size), *at = names;
	int result;

	if (names == NULL)
		return failed(ENOMEM);
	for (; *protocols != NULL; protocols++) {
		size_t length = strlen(*protocols);

		*at++ = (unsigned char)length;
		memcpy(at, *protocols, length);
		at += length;
	}
	CHECK(at == names + size);
	/* Unlike others, this function returns 0 if it succeeds. */
	result = SSL_CTX_set_alpn_protos(context, names, (unsigned)size);
	free(names);
	return result == 0 ? 0 : failed(ENOMEM);
}

int
hub_tls_set_protocols(struct hub_tls *tls, const char *const *protocols, bool is_needed)
{
	void *names = (void *)(uintptr_t)protocols; /* only read */
	size_t size = measure(protocols);

	if (size == 0) {
		tls_say_why("protocols have names of 1 to %d bytes, at most %d together", NAME_MOST,
			ALL_MOST);
		return failed(EINVAL);
	}
	if (SSL_CTX_set_app_data(tls->context, names) != 1)
		return failed(ENOMEM);
	if (!tls->is_server)
		return offer(tls->context, protocols, size);
	SSL_CTX_set_alpn_select_cb(tls->context, is_needed ? choose_or_refuse : choose, names);
	return 0;
}

const char *
hub_tls_protocol(int fd)
{
	const SSL *ssl = tls_ssl(fd);
	const unsigned char *chosen = NULL;
	unsigned length = 0;

	if (ssl != NULL)
		SSL_get0_alpn_selected(ssl, &chosen, &length);
	if (chosen == NULL)
		return NULL;
	for (const char *const *own = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)); *own != NULL;
		own++)
		if (strlen(*own) == length && memcmp(*own, chosen, length) == 0)
			return *own;
	return NULL;
}
