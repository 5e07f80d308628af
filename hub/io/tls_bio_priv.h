/* OpenSSL's BIO over a descriptor of the hub. Nothing here switches or waits. */
#ifndef HUBBUB_IO_TLS_BIO_PRIV_H
#define HUBBUB_IO_TLS_BIO_PRIV_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hub_fd;

/* One connection's encrypted side. */
struct tls_socket {
	struct hub_fd *entry;
	unsigned char *kept; /* owned; encrypted, not yet sent; NULL if none */
	size_t kept_length;
	size_t kept_sent;
	ssize_t budget;    /* bytes that this call of OpenSSL may still read */
	int error;         /* errno of the socket's last failure; 0 for none */
	bool is_handshake; /* bytes count neither as a request nor as an answer */
};

/* Prepares what all BIOs share; thread-safe, any number of times. False without memory: then
 * tls_bio_new fails. */
bool tls_bio_prepare(void);

/* A BIO that reads and writes through socket, which outlives it. NULL without memory. Writing fails
 * with ENOMEM in socket->error where the bytes cannot be kept, or are too many. */
BIO *tls_bio_new(struct tls_socket *socket);

/* Sends what is kept. Returns 0 when nothing is left; or -1 with errno of send(2). */
int tls_socket_flush(struct tls_socket *socket);

/* Returns the bytes that are kept, allocated, and sets *length; the caller's. NULL if none. */
unsigned char *tls_socket_take_kept(struct tls_socket *socket, size_t *length);

/* Frees the bytes that are kept. */
void tls_socket_fini(struct tls_socket *socket);

#endif
