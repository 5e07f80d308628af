/* The socket as OpenSSL sees it: a BIO that makes the system calls, remembers when the socket is
 * drained, and accepts all bytes: it keeps those that the kernel does not take. So a record never
 * has to be written again with the same bytes, as OpenSSL would otherwise demand. */
#include "hub/io/tls_bio_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/traffic_priv.h"
#include "hub/scheduler_priv.h"

/* A limit for a peer that sends requests and reads no answers. */
#define KEPT_MOST ((size_t)256 * 1024)

/* OpenSSL's callback: reads encrypted bytes from the socket, at most as many as the budget
 * allows. */
static int
bio_read(BIO *bio, char *buffer, int length)
{
	struct tls_socket *socket = BIO_get_data(bio);
	ssize_t got;

	BIO_clear_retry_flags(bio);
	/* OpenSSL reads on while there are records that are not the application's: stop it, so that
	 * other coroutines run. */
	if (socket->budget <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (length > socket->budget)
		length = (int)socket->budget;
	do
		got = kernel_recvfrom(
			socket->entry->read.fd, buffer, (size_t)length, MSG_DONTWAIT, NULL, NULL);
	while (got < 0 && errno == EINTR);
	/* After a short read no bytes are left: the next receive waits without asking. */
	fd_set_drained(socket->entry, got < 0 ? errno == EAGAIN : got > 0 && got < length);
	if (got > 0 && !socket->is_handshake)
		fd_note_received(hub_this, socket->entry);
	if (got >= 0) {
		fd_carry_in(socket->entry, (size_t)got);
		socket->budget -= got;
		return (int)got;
	}
	if (errno == EAGAIN)
		BIO_set_retry_read(bio);
	else
		socket->error = errno;
	return -1;
}

/* Keeps encrypted bytes for the next flush. Returns false without memory, or above KEPT_MOST. */
static bool
keep(struct tls_socket *socket, const char *bytes, size_t length)
{
	unsigned char *grown = NULL;

	if (socket->kept_length + length <= KEPT_MOST)
		grown = realloc(socket->kept, socket->kept_length + length);
	if (grown == NULL)
		return false;
	memcpy(grown + socket->kept_length, bytes, length);
	socket->kept = grown;
	socket->kept_length += length;
	return true;
}

static ssize_t
send_now(const struct tls_socket *socket, const void *bytes, size_t length)
{
	ssize_t sent;

	do
		sent = kernel_sendto(socket->entry->read.fd, bytes, length,
			MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	while (sent < 0 && errno == EINTR);
	if (sent > 0 && !socket->is_handshake)
		fd_note_sent(hub_this, socket->entry);
	if (sent > 0)
		fd_carry_out(socket->entry, (size_t)sent);
	return sent;
}

/* OpenSSL's callback: sends encrypted bytes, and keeps the rest. Bytes that are kept go first, so
 * while there are any all new ones are kept, too. */
static int
bio_write(BIO *bio, const char *bytes, int length)
{
	struct tls_socket *socket = BIO_get_data(bio);
	ssize_t sent = 0;

	BIO_clear_retry_flags(bio);
	if (socket->kept == NULL)
		sent = send_now(socket, bytes, (size_t)length);
	if (sent < 0 && errno != EAGAIN) {
		socket->error = errno;
		return -1;
	}
	if (sent < 0)
		sent = 0;
	if (sent < length && !keep(socket, bytes + sent, (size_t)(length - sent))) {
		socket->error = ENOMEM;
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

static BIO_METHOD *method;

static void
make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hub");
	if (method == NULL || !BIO_meth_set_read(method, bio_read) ||
		!BIO_meth_set_write(method, bio_write) || !BIO_meth_set_ctrl(method, bio_control)) {
		BIO_meth_free(method);
		method = NULL;
	}
}

bool
tls_bio_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_method);
	return method != NULL;
}

BIO *
tls_bio_new(struct tls_socket *socket)
{
	BIO *bio = BIO_new(method);

	if (bio != NULL) {
		BIO_set_data(bio, socket);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* ---- what is kept ---- */

int
tls_socket_flush(struct tls_socket *socket)
{
	while (socket->kept != NULL) {
		ssize_t sent = send_now(socket, socket->kept + socket->kept_sent,
			socket->kept_length - socket->kept_sent);

		if (sent < 0)
			return -1;
		socket->kept_sent += (size_t)sent;
		if (socket->kept_sent == socket->kept_length)
			tls_socket_fini(socket);
	}
	return 0;
}

unsigned char *
tls_socket_take_kept(struct tls_socket *socket, size_t *length)
{
	unsigned char *kept = socket->kept;

	if (kept == NULL)
		return NULL;
	*length = socket->kept_length - socket->kept_sent;
	memmove(kept, kept + socket->kept_sent, *length);
	socket->kept = NULL;
	socket->kept_length = socket->kept_sent = 0;
	return kept;
}

void
tls_socket_fini(struct tls_socket *socket)
{
	free(socket->kept);
	socket->kept = NULL;
	socket->kept_length = socket->kept_sent = 0;
}
