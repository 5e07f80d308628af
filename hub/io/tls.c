/* TLS as a layer before a socket: handshakes, records in both directions, the end. OpenSSL reads
 * and writes through tls_bio.c; the layer owns its SSL, and belongs to the descriptor's entry once
 * the handshake has succeeded.
 *
 * Each call of OpenSSL is judged right after it, before any switch: the queue of errors belongs to
 * the thread. */
#include "hub/io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/failed.h"
#include "hub/base/list.h"
#include "hub/coroutine.h"
#include "hub/io/fd_priv.h"
#include "hub/io/layer_priv.h"
#include "hub/io/tls_bio_priv.h"
#include "hub/io/tls_priv.h"
#include "hub/io/tls_why_priv.h"
#include "hub/io/unsent_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/thread/offload.h"

/* Encrypted bytes that one call may read: a whole record, and a little more. Of a peer that has
 * changed its keys more than KEYS_MOST times in one call, few: it costs the hub much by few bytes,
 * and others run in between. */
#define READ_AT_ONCE (17 * 1024)
#define READ_LITTLE 256
#define KEYS_MOST 8

/* The layer of one connection. */
struct tls_layer {
	struct hub_layer layer;
	SSL *ssl; /* owned, with its BIO */
	struct tls_socket socket;
	unsigned keys;  /* that the peer has changed in this call */
	bool is_costly; /* it has changed its keys again and again */
	bool is_broken; /* no record can be sent any more, not even the end */
};

/* ---- the layer ---- */

static struct tls_layer *
tls_of(struct hub_layer *layer)
{
	return CONTAINER_OF(layer, struct tls_layer, layer);
}

/* Says why TLS has failed, by OpenSSL's errors. Returns an errno. */
static int
explain(const SSL *ssl)
{
	/* The peer closed the connection without ending the TLS stream. */
	if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		tls_explain("the peer has gone");
		return ECONNRESET;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		ERR_clear_error();
		tls_say_why("the certificate is not trusted: %s",
			X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	} else {
		tls_explain("TLS");
	}
	return EPROTO;
}

/* Translates the failure of an OpenSSL call into an errno; 0 for the peer's end. */
static int
judge(struct tls_layer *layer, int result)
{
	switch (SSL_get_error(layer->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		layer->is_broken = true;
		tls_say_why("%s", layer->socket.error != 0 ? strerror(layer->socket.error)
							   : "the peer has gone");
		return layer->socket.error != 0 ? layer->socket.error : ECONNRESET;
	default:
		layer->is_broken = true;
		return explain(layer->ssl);
	}
}

/* Returns the bytes received, 0 at the peer's end, or -1 and errno. OpenSSL may send meanwhile,
 * such as an alert. */
static ssize_t
tls_receive(struct hub_layer *base, void *buffer, size_t length, int flags)
{
	struct tls_layer *layer = tls_of(base);
	size_t got = 0;
	int result;

	ERR_clear_error();
	layer->socket.budget = layer->is_costly ? READ_LITTLE : READ_AT_ONCE;
	layer->keys = 0;
	result = flags & MSG_PEEK ? SSL_peek_ex(layer->ssl, buffer, length, &got)
				  : SSL_read_ex(layer->ssl, buffer, length, &got);
	layer->is_costly = layer->is_costly || layer->keys > KEYS_MOST;
	if (result > 0)
		return (ssize_t)got;
	errno = judge(layer, result);
	return errno == 0 ? 0 : -1;
}

static int
tls_flush(struct hub_layer *base)
{
	struct tls_layer *layer = tls_of(base);

	if (tls_socket_flush(&layer->socket) == 0)
		return 0;
	layer->is_broken = layer->is_broken || errno != EAGAIN;
	return -1;
}

static bool
tls_has_kept(const struct hub_layer *base)
{
	return CONTAINER_OF(base, struct tls_layer, layer)->socket.kept != NULL;
}

static unsigned char *
tls_take_kept(struct hub_layer *base, size_t *length)
{
	return tls_socket_take_kept(&tls_of(base)->socket, length);
}

/* Takes bytes only while nothing is kept, so at most one record is kept by this call. After a write
 * that has failed OpenSSL still has that record, and would take the next bytes for the same ones if
 * they lay at the same address. */
static ssize_t
tls_send(struct hub_layer *base, const void *buffer, size_t length)
{
	struct tls_layer *layer = tls_of(base);
	size_t done = 0;

	if (layer->is_broken)
		return failed(EPIPE);
	if (tls_flush(base) != 0)
		return -1;
	/* Writes record by record, while the kernel takes each as a whole. */
	while (done < length && layer->socket.kept == NULL) {
		size_t part = length - done, taken = 0;
		int result;

		if (part > SSL3_RT_MAX_PLAIN_LENGTH)
			part = SSL3_RT_MAX_PLAIN_LENGTH;
		ERR_clear_error();
		result = SSL_write_ex(layer->ssl, (const char *)buffer + done, part, &taken);
		done += taken;
		if (result > 0)
			continue;
		errno = judge(layer, result);
		if (errno == 0)
			errno = EPIPE;
		return done > 0 ? (ssize_t)done : -1;
	}
	return (ssize_t)done;
}

/* SSL_has_pending is true for a part of a record, too: only a peek tells. */
static bool
tls_has_input(struct hub_layer *base)
{
	struct tls_layer *layer = tls_of(base);
	char byte;

	/* The end of the stream can be received any number of times. */
	if (SSL_pending(layer->ssl) > 0 || layer->is_broken ||
		(SSL_get_shutdown(layer->ssl) & SSL_RECEIVED_SHUTDOWN))
		return true;
	return SSL_has_pending(layer->ssl) &&
	       (tls_receive(base, &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN);
}

static int
tls_end_output(struct hub_layer *base)
{
	struct tls_layer *layer = tls_of(base);

	if (layer->is_broken)
		return failed(EPIPE);
	/* A second SSL_shutdown would read the peer's own end. */
	if (SSL_get_shutdown(layer->ssl) & SSL_SENT_SHUTDOWN)
		return 0;
	ERR_clear_error();
	if (SSL_shutdown(layer->ssl) >= 0)
		return 0;
	errno = judge(layer, -1);
	return -1;
}

static void
tls_free(struct hub_layer *base)
{
	struct tls_layer *layer = tls_of(base);

	SSL_free(layer->ssl);
	tls_socket_fini(&layer->socket);
	free(layer);
}

static const struct layer_kind tls_kind = {.receive = tls_receive,
	.send = tls_send,
	.flush = tls_flush,
	.has_kept = tls_has_kept,
	.has_input = tls_has_input,
	.take_kept = tls_take_kept,
	.end_output = tls_end_output,
	.free = tls_free,
	.close = unsent_close};

/* OpenSSL's callback, about each message and each record of either side. */
static void
on_message(int is_sent, int version, int type, const void *bytes, size_t length, SSL *ssl,
	void *argument)
{
	struct tls_layer *layer = argument;
	const unsigned char *message = bytes;

	(void)version, (void)ssl;
	if (type == SSL3_RT_HANDSHAKE && !is_sent && length > 0 && message[0] == SSL3_MT_KEY_UPDATE)
		layer->keys++;
}

/* A layer with its SSL and BIO. NULL without memory. */
static struct tls_layer *
layer_new(struct hub_fd *entry, const struct hub_tls *tls)
{
	struct tls_layer *layer = calloc(1, sizeof *layer);
	BIO *bio = layer != NULL ? tls_bio_new(&layer->socket) : NULL;

	if (bio == NULL || (layer->ssl = SSL_new(tls->context)) == NULL) {
		BIO_free(bio);
		free(layer);
		return NULL;
	}
	layer->layer.kind = &tls_kind;
	layer->socket.entry = entry;
	layer->socket.is_handshake = true;
	SSL_set_bio(layer->ssl, bio, bio);
	SSL_set_msg_callback(layer->ssl, on_message);
	SSL_set_msg_callback_arg(layer->ssl, layer);
	return layer;
}

/* ---- handshakes ---- */

/* A peer that has gone shows in what is received, or in what is sent. Returns the errno. */
static int
gone(int error)
{
	if (error != EPIPE && error != ECONNRESET)
		return error;
	tls_say_why("the peer has gone");
	return ECONNRESET;
}

/* Sends all that the handshake has written. Returns 0, or -1 and errno. */
static int
wait_flushed(struct tls_layer *layer)
{
	while (tls_flush(&layer->layer) != 0) {
		if (errno == EAGAIN && fd_wait_write(layer->socket.entry, "handshake") == 0)
			continue;
		return failed(gone(errno));
	}
	return 0;
}

/* One step of a handshake; returns 0 when it is done, or an errno. Runs on the thread's own stack:
 * signatures need a deep stack, which an idle connection would then keep. */
static void *
step(void *argument)
{
	struct tls_layer *layer = argument;
	int result, error;

	ERR_clear_error();
	layer->socket.budget = READ_AT_ONCE;
	result = SSL_do_handshake(layer->ssl);
	error = result == 1 ? 0 : gone(judge(layer, result));
	if (error == 0 && result != 1)
		error = ECONNRESET;
	return (void *)(intptr_t)error;
}

/* The whole handshake. Returns 0, or -1 and errno. */
static int
shake_hands(struct tls_layer *layer)
{
	for (;;) {
		void *result;
		int error;

		if (hub_on_thread_stack(step, layer, &result) != 0)
			return -1;
		error = (int)(intptr_t)result;
		if (error != 0 && error != EAGAIN) {
			/* Send the alert, which tells the peer the reason. */
			tls_flush(&layer->layer);
			return failed(error);
		}
		if (wait_flushed(layer) != 0)
			return -1;
		if (error == 0)
			return 0;
		/* hub_end_input has ended the input: no more bytes will be received. */
		if (layer->socket.entry->input_has_ended) {
			tls_say_why("the handshake was broken off");
			return failed(ECONNRESET);
		}
		if (fd_wait_read(layer->socket.entry, "handshake") != 0)
			return -1;
	}
}

/* Sets the expected name. A host name is also sent to the server, which may have several
 * certificates; an address is not. */
static bool
expect_name(SSL *ssl, const char *name, bool is_checked)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1)
		return !is_checked || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	return (!is_checked || SSL_set1_host(ssl, name) == 1) &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* Fails with an error for which nobody has set why; text NULL: in the error's own words. */
static int
refuse(int error, const char *text)
{
	tls_say_why("%s", text != NULL ? text : strerror(error));
	return failed(error);
}

/* The handshake of either side; name is the server's, or NULL. The entry owns the layer only if all
 * has succeeded. */
static int
begin(int fd, struct hub_tls *tls, const char *name)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry = self != NULL ? fd_lookup(self->hub, fd) : NULL;
	struct tls_layer *layer;
	int error = 0;

	if (self == NULL)
		hub_fail_in_turn();
	if (entry == NULL || !fd_renew(entry))
		return refuse(errno, NULL);
	if (entry->layer != NULL)
		return refuse(EALREADY, "the descriptor has TLS already");
	if (!entry->is_stream)
		return refuse(EINVAL, "the descriptor is no stream socket");
	layer = layer_new(entry, tls);
	if (layer == NULL)
		return refuse(ENOMEM, NULL);
	if (tls->is_server)
		SSL_set_accept_state(layer->ssl);
	else
		SSL_set_connect_state(layer->ssl);
	if (name != NULL && !expect_name(layer->ssl, name, !tls->trusts_anybody))
		error = ENOMEM;
	else if (shake_hands(layer) != 0)
		error = errno;
	/* Another coroutine has finished a handshake on the fd meanwhile. */
	if (error == 0 && entry->layer != NULL)
		error = EALREADY;
	if (error == 0) {
		/* The handshake may have read the application's first bytes. */
		layer_attach(entry, &layer->layer);
		layer->socket.is_handshake = false;
		if (SSL_has_pending(layer->ssl))
			fd_note_received(hub_this, entry);
		return 0;
	}
	tls_free(&layer->layer);
	/* EPROTO and ECONNRESET have set why where they arose, and no coroutine has run since. */
	return error == EPROTO || error == ECONNRESET ? failed(error) : refuse(error, NULL);
}

int
hub_tls_accept(int fd, struct hub_tls *tls)
{
	return begin(fd, tls, NULL);
}

int
hub_tls_connect(int fd, struct hub_tls *tls, const char *name)
{
	return begin(fd, tls, name);
}

const SSL *
tls_ssl(int fd)
{
	const struct hub_layer *layer = fd_layer(fd);

	if (layer == NULL || layer->kind != &tls_kind)
		return NULL;
	return CONTAINER_OF(layer, struct tls_layer, layer)->ssl;
}

const char *
hub_tls_why(void)
{
	return tls_why();
}
