/* OpenSSL reads and writes through a BIO of the hub's, which makes the system calls, remembers when
 * the socket is drained, and accepts all bytes: it keeps those that the kernel does not take. So a
 * record never has to be written again with the same bytes, as OpenSSL would otherwise demand.
 *
 * OpenSSL's queue of errors belongs to the thread: it is emptied before each call and read right
 * after, and no switch happens in between. */
#include "hub/io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/coroutine.h"
#include "hub/io/fd_priv.h"
#include "hub/io/layer_priv.h"
#include "hub/io/tls_priv.h"
#include "hub/io/unsent_priv.h"
#include "hub/io/wait_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/thread/offload.h"

#define READ_AT_ONCE 16384
#define KEPT_MOST ((size_t)256 * 1024)

/* The layer of one connection. */
struct tls_layer {
	struct hub_layer layer;
	SSL *ssl;
	struct hub_fd *entry;
	unsigned char *kept; /* owned; encrypted, not yet sent; NULL if none */
	size_t kept_length;
	size_t kept_sent;
	ssize_t budget; /* bytes that this call may still read */
	int error;      /* errno of the socket's last failure; 0 for none */
	bool is_broken; /* no record can be sent any more, not even the end */
};

static _Thread_local char why[256];

const char *
hub_tls_why(void)
{
	return why;
}

/* Stores the first reason of OpenSSL's queue in why, and empties the queue. */
static void
explain(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	snprintf(why, sizeof why, "%s%s%s", what, reason != NULL ? ": " : "",
		reason != NULL ? reason : "");
	ERR_clear_error();
}

/* ---- the socket, as OpenSSL sees it ---- */

static struct tls_layer *
layer_of(BIO *bio)
{
	return BIO_get_data(bio);
}

/* During the handshake bytes count neither as a request nor as an answer. */
static bool
is_shaking_hands(const struct tls_layer *layer)
{
	return layer->entry->layer != &layer->layer;
}

static void
note_received(const struct tls_layer *layer)
{
	if (!is_shaking_hands(layer))
		fd_note_received(hub_this, layer->entry);
}

/* OpenSSL's callback: reads encrypted bytes from the socket, at most as many as the budget
 * allows. */
static int
bio_read(BIO *bio, char *buffer, int length)
{
	struct tls_layer *layer = layer_of(bio);
	ssize_t got;

	BIO_clear_retry_flags(bio);
	/* OpenSSL reads on while there are records that are not the application's: stop it, so that
	 * other coroutines run. */
	if (layer->budget <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	do
		got = kernel_recvfrom(
			layer->entry->read.fd, buffer, (size_t)length, MSG_DONTWAIT, NULL, NULL);
	while (got < 0 && errno == EINTR);
	/* After a short read no bytes are left: the next receive waits without asking. */
	fd_set_drained(layer->entry, got < 0 ? errno == EAGAIN : got > 0 && got < length);
	if (got > 0)
		note_received(layer);
	if (got >= 0) {
		layer->budget -= got;
		return (int)got;
	}
	if (errno == EAGAIN)
		BIO_set_retry_read(bio);
	else
		layer->error = errno;
	return -1;
}

/* Keeps encrypted bytes for the next flush. Returns false without memory, or above KEPT_MOST. */
static bool
keep(struct tls_layer *layer, const char *bytes, size_t length)
{
	unsigned char *grown = NULL;

	/* A limit for a peer that sends requests and reads no answers. */
	if (layer->kept_length + length <= KEPT_MOST)
		grown = realloc(layer->kept, layer->kept_length + length);
	if (grown == NULL)
		return false;
	memcpy(grown + layer->kept_length, bytes, length);
	layer->kept = grown;
	layer->kept_length += length;
	return true;
}

static ssize_t
send_now(const struct tls_layer *layer, const void *bytes, size_t length)
{
	ssize_t sent;

	do
		sent = kernel_sendto(
			layer->entry->read.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	while (sent < 0 && errno == EINTR);
	if (sent > 0 && !is_shaking_hands(layer))
		fd_note_sent(hub_this, layer->entry);
	return sent;
}

/* OpenSSL's callback: sends encrypted bytes, and keeps the rest. Bytes that are kept go first, so
 * while there are any all new ones are kept, too. */
static int
bio_write(BIO *bio, const char *bytes, int length)
{
	struct tls_layer *layer = layer_of(bio);
	ssize_t sent = 0;

	BIO_clear_retry_flags(bio);
	if (layer->kept == NULL)
		sent = send_now(layer, bytes, (size_t)length);
	if (sent < 0 && errno != EAGAIN) {
		layer->error = errno;
		return -1;
	}
	if (sent < 0)
		sent = 0;
	if (sent < length && !keep(layer, bytes + sent, (size_t)(length - sent))) {
		layer->error = ENOMEM;
		return -1;
	}
	return length;
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;

static void
make_bio_method(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hub");
	if (bio_method == NULL || !BIO_meth_set_read(bio_method, bio_read) ||
		!BIO_meth_set_write(bio_method, bio_write) ||
		!BIO_meth_set_ctrl(bio_method, bio_control)) {
		BIO_meth_free(bio_method);
		bio_method = NULL;
	}
}

/* ---- the layer ---- */

static struct tls_layer *
tls_of(struct hub_layer *layer)
{
	return CONTAINER_OF(layer, struct tls_layer, layer);
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
		snprintf(why, sizeof why, "%s",
			layer->error != 0 ? strerror(layer->error) : "the peer has gone");
		return layer->error != 0 ? layer->error : ECONNRESET;
	default:
		layer->is_broken = true;
		/* The peer closed the connection without ending the TLS stream. */
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			explain("the peer has gone");
			return ECONNRESET;
		}
		explain("TLS");
		return EPROTO;
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
	layer->budget = READ_AT_ONCE;
	result = flags & MSG_PEEK ? SSL_peek_ex(layer->ssl, buffer, length, &got)
				  : SSL_read_ex(layer->ssl, buffer, length, &got);
	if (result > 0)
		return (ssize_t)got;
	errno = judge(layer, result);
	return errno == 0 ? 0 : -1;
}

static int
tls_flush(struct hub_layer *base)
{
	struct tls_layer *layer = tls_of(base);

	while (layer->kept != NULL) {
		ssize_t sent = send_now(layer, layer->kept + layer->kept_sent,
			layer->kept_length - layer->kept_sent);

		if (sent < 0) {
			layer->is_broken = layer->is_broken || errno != EAGAIN;
			return -1;
		}
		layer->kept_sent += (size_t)sent;
		if (layer->kept_sent < layer->kept_length)
			continue;
		free(layer->kept);
		layer->kept = NULL;
		layer->kept_length = layer->kept_sent = 0;
	}
	return 0;
}

static bool
tls_has_kept(const struct hub_layer *base)
{
	return CONTAINER_OF(base, struct tls_layer, layer)->kept != NULL;
}

static unsigned char *
tls_take_kept(struct hub_layer *base, size_t *length)
{
	struct tls_layer *layer = tls_of(base);
	unsigned char *kept = layer->kept;

	if (kept == NULL)
		return NULL;
	*length = layer->kept_length - layer->kept_sent;
	memmove(kept, kept + layer->kept_sent, *length);
	layer->kept = NULL;
	layer->kept_length = layer->kept_sent = 0;
	return kept;
}

/* Takes bytes only while nothing is kept, so at most one record is kept by this call. */
static ssize_t
tls_send(struct hub_layer *base, const void *buffer, size_t length)
{
	struct tls_layer *layer = tls_of(base);
	size_t done = 0;

	if (tls_flush(base) != 0)
		return -1;
	/* Writes record by record, while the kernel takes each as a whole. */
	while (done < length && layer->kept == NULL) {
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
	free(layer->kept);
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

/* A layer with its SSL and BIO. NULL without memory. */
static struct tls_layer *
layer_new(struct hub_fd *entry, const struct hub_tls *tls)
{
	struct tls_layer *layer = calloc(1, sizeof *layer);
	BIO *bio = BIO_new(bio_method);

	if (layer == NULL || bio == NULL || (layer->ssl = SSL_new(tls->context)) == NULL) {
		BIO_free(bio);
		free(layer);
		return NULL;
	}
	layer->layer.kind = &tls_kind;
	layer->entry = entry;
	BIO_set_data(bio, layer);
	BIO_set_init(bio, 1);
	SSL_set_bio(layer->ssl, bio, bio);
	return layer;
}

/* ---- handshakes ---- */

/* Sends all that the handshake has written. Returns 0, or -1 and errno. */
static int
wait_flushed(struct tls_layer *layer)
{
	while (tls_flush(&layer->layer) != 0) {
		if (errno == EAGAIN && fd_wait_write(layer->entry, "handshake") == 0)
			continue;
		if (errno == EPIPE || errno == ECONNRESET) {
			snprintf(why, sizeof why, "the peer has gone");
			errno = ECONNRESET;
		}
		return -1;
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
	layer->budget = READ_AT_ONCE;
	result = SSL_do_handshake(layer->ssl);
	error = result == 1 ? 0 : judge(layer, result);
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
		if (error == EPROTO && SSL_get_verify_result(layer->ssl) != X509_V_OK)
			snprintf(why, sizeof why, "the certificate is not trusted: %s",
				X509_verify_cert_error_string(SSL_get_verify_result(layer->ssl)));
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
		if (layer->entry->input_has_ended) {
			snprintf(why, sizeof why, "the handshake was broken off");
			return failed(ECONNRESET);
		}
		if (fd_wait_read(layer->entry, "handshake") != 0)
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

/* The handshake of either side; name is the server's, or NULL. The entry owns the layer only if all
 * has succeeded. */
static int
begin(int fd, struct hub_tls *tls, const char *name)
{
	struct hub_coroutine *self = hub_enter();
	struct hub_fd *entry = self != NULL ? fd_lookup(self->hub, fd) : NULL;
	struct tls_layer *layer;
	int error = 0;

	if (entry == NULL || !fd_renew(entry))
		return -1;
	if (entry->layer != NULL || !entry->is_stream) {
		errno = entry->layer != NULL ? EALREADY : EINVAL;
		return -1;
	}
	layer = layer_new(entry, tls);
	if (layer == NULL)
		return failed(ENOMEM);
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
		if (SSL_has_pending(layer->ssl))
			note_received(layer);
		return 0;
	}
	tls_free(&layer->layer);
	/* EPROTO and ECONNRESET have set why where they arose, and no coroutine has run since. */
	if (error != EPROTO && error != ECONNRESET)
		snprintf(why, sizeof why, "%s", strerror(error));
	return failed(error);
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

const char *
hub_tls_version(int fd)
{
	const struct hub_layer *layer = fd_layer(fd);

	if (layer == NULL || layer->kind != &tls_kind)
		return NULL;
	return SSL_get_version(CONTAINER_OF(layer, struct tls_layer, layer)->ssl);
}

/* ---- certificates ---- */

/* The configuration that servers and clients have in common. NULL with errno ENOMEM. */
static struct hub_tls *
tls_new(const SSL_METHOD *method)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct hub_tls *tls = calloc(1, sizeof *tls);

	pthread_once(&once, make_bio_method);
	ERR_clear_error();
	if (tls != NULL && bio_method != NULL)
		tls->context = SSL_CTX_new(method);
	if (tls == NULL || tls->context == NULL) {
		explain("no memory for TLS");
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

		snprintf(why, sizeof why, "cannot read %s: %s", path, strerror(error));
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
	explain(text);
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
