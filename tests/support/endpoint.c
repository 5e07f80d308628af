/* Every operation is one non-blocking call on the fd, or one of OpenSSL's, translated to errno:
 * EAGAIN for "wants to read" or "wants to write", EPROTO for every error of TLS. So a caller sees
 * one kind of socket, whatever the transport. */
#include "tests/support/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/program.h"

/* 192.0.2.7, port 8080, to 192.0.2.1, port 80. */
static const char proxy_header[28] =
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x1f\x90\0\x50";

/* ---- TLS ---- */

/* OpenSSL's context, shared by connections of all threads, and never freed. */
static SSL_CTX *context;

static void
pass(int signal)
{
	(void)signal;
}

/* OpenSSL may write to a connection that was reset. SIGPIPE gets a handler instead of SIG_IGN,
 * which programs that a test starts would inherit through exec. */
static void
make_context(void)
{
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = pass}, NULL);
	context = SSL_CTX_new(TLS_client_method());
}

static SSL *
tls_new(int fd)
{
	static pthread_once_t is_made = PTHREAD_ONCE_INIT;
	SSL *tls;

	pthread_once(&is_made, make_context);
	tls = context != NULL ? SSL_new(context) : NULL;
	if (tls != NULL && SSL_set_fd(tls, fd) != 1) {
		SSL_free(tls);
		tls = NULL;
	}
	return tls;
}

/* Translates the result of an OpenSSL call to that of a system call. */
static ssize_t
tls_result(SSL *tls, int result)
{
	if (result > 0)
		return result;
	switch (SSL_get_error(tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		if (errno == 0)
			errno = EPROTO;
		return -1;
	default:
		errno = EPROTO;
		return -1;
	}
}

/* ---- its life ---- */

static socklen_t
address_of(const struct target *target, struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_un *path = (struct sockaddr_un *)address;

	if (target->transport == TRANSPORT_UNIX || target->transport == TRANSPORT_TLS_UNIX) {
		*path = (struct sockaddr_un){.sun_family = AF_UNIX};
		snprintf(path->sun_path, sizeof path->sun_path, "%s", target->path);
		return sizeof *path;
	}
	*in = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)target->port)};
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof *in;
}

bool
endpoint_open(struct endpoint *endpoint, const struct target *target)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(target, &address);
	int type = target->transport == TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1, error;

	*endpoint = (struct endpoint){.transport = target->transport};
	endpoint->fd = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (endpoint->fd == -1)
		return false;
	if (address.ss_family == AF_INET && type == SOCK_STREAM)
		setsockopt(endpoint->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(endpoint->fd, (struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS)
		return true;
	error = errno;
	endpoint_close(endpoint);
	errno = error;
	return false;
}

/* Looks at the outcome of connect, then sends or begins what precedes the first message: a PROXY
 * header, or the TLS handshake. */
static int
connected(struct endpoint *endpoint)
{
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(endpoint->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	errno = error;
	if (error != 0)
		return -1;
	endpoint->is_connected = true;
	if (endpoint->transport == TRANSPORT_PROXY)
		return send(endpoint->fd, proxy_header, sizeof proxy_header, MSG_NOSIGNAL) ==
				       sizeof proxy_header
			       ? 1
			       : -1;
	if (endpoint->transport != TRANSPORT_TLS && endpoint->transport != TRANSPORT_TLS_UNIX)
		return 1;
	endpoint->tls = tls_new(endpoint->fd);
	errno = ENOMEM;
	return endpoint->tls != NULL ? endpoint_establish(endpoint) : -1;
}

int
endpoint_establish(struct endpoint *endpoint)
{
	ssize_t result;

	if (!endpoint->is_connected)
		return connected(endpoint);
	if (endpoint->tls == NULL)
		return 1;
	errno = 0;
	result = tls_result(endpoint->tls, SSL_connect(endpoint->tls));
	if (result == 0)
		errno = EPROTO;
	return result == 1 ? 1 : result == -1 && errno == EAGAIN ? 0 : -1;
}

ssize_t
endpoint_send(struct endpoint *endpoint, const void *bytes, size_t length)
{
	errno = 0;
	if (endpoint->tls != NULL)
		return tls_result(endpoint->tls, SSL_write(endpoint->tls, bytes, (int)length));
	return send(endpoint->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t
endpoint_receive(struct endpoint *endpoint, void *bytes, size_t size)
{
	errno = 0;
	if (endpoint->tls != NULL)
		return tls_result(endpoint->tls, SSL_read(endpoint->tls, bytes, (int)size));
	return recv(endpoint->fd, bytes, size, MSG_DONTWAIT);
}

bool
endpoint_has_ended(struct endpoint *endpoint)
{
	char byte;

	errno = 0;
	if (endpoint->transport == TRANSPORT_UDP)
		return false;
	if (endpoint->tls != NULL)
		return tls_result(endpoint->tls, SSL_peek(endpoint->tls, &byte, 1)) == 0;
	return recv(endpoint->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void
endpoint_close(struct endpoint *endpoint)
{
	if (endpoint->tls != NULL) {
		SSL_shutdown(endpoint->tls);
		SSL_free(endpoint->tls);
	}
	if (endpoint->fd != -1)
		close(endpoint->fd);
	*endpoint = (struct endpoint){.fd = -1};
}

/* ---- one exchange ---- */

/* Waits until the fd is ready for the events. Returns false when the time is over. */
static bool
await(const struct endpoint *endpoint, short events, int64_t end)
{
	struct pollfd query = {.fd = endpoint->fd, .events = events};
	int64_t left = end - clock_now();

	return left > 0 && poll(&query, 1, (int)(left / CLOCK_MILLISECOND) + 1) > 0;
}

static bool
exchange(struct endpoint *endpoint, int64_t end)
{
	char answer[5] = "";
	ssize_t length = -1;
	int is_there = 0;

	while (is_there == 0 && await(endpoint, endpoint->is_connected ? POLLIN : POLLOUT, end))
		is_there = endpoint_establish(endpoint);
	if (is_there != 1 || endpoint_send(endpoint, "here", 4) != 4)
		return false;
	errno = EAGAIN;
	while (length == -1 && errno == EAGAIN && await(endpoint, POLLIN, end))
		length = endpoint_receive(endpoint, answer, 4);
	return length == 4 && strcmp(answer, "HERE") == 0;
}

bool
target_answers(const struct target *target)
{
	struct endpoint endpoint;
	bool answers;

	if (!endpoint_open(&endpoint, target))
		return false;
	answers = exchange(&endpoint, clock_now() + (int64_t)program_patience(10) * CLOCK_SECOND);
	endpoint_close(&endpoint);
	return answers;
}
