/* Makes pairs of connected sockets with random buffer sizes, and their TLS contexts. A coroutine
 * that waits in a handshake compares the serial number afterwards: the place may hold another
 * connection by then. */
#include "tests/fuzz/connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/programs.h"
#include "tests/support/certificate.h"

static unsigned serials;
static struct hub_tls *tls_server, *tls_client;

unsigned char
connection_tag(const struct connection *connection, int end)
{
	return (unsigned char)((connection->serial * 2 + (unsigned)end) % CONNECTION_LAST);
}

void
connection_prepare_tls(void)
{
	static struct certificate certificate;

	programs_expect(certificate_make(&certificate), "openssl makes no certificate", errno);
	tls_server = hub_tls_server_new(certificate.file, certificate.key);
	tls_client = hub_tls_client_new(certificate.file);
	certificate_clean(&certificate);
	programs_expect(tls_server != NULL && tls_client != NULL, "no TLS", errno);
}

static bool
open_tcp(int ends[2])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	bool is_open;

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	is_open = bind(listener, (struct sockaddr *)&address, length) == 0 &&
		  listen(listener, 1) == 0 &&
		  getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
		  connect(ends[0], (struct sockaddr *)&address, length) == 0;
	ends[1] = is_open ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
	close(listener);
	for (int end = 0; end < 2; end++)
		setsockopt(ends[end], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return ends[1] != -1;
}

void
connection_open(struct connection *place, bool is_secure)
{
	struct connection made = {.serial = serials++, .is_secure = is_secure};
	int size = 1 << (10 + below(8));
	bool is_unix = below(3) != 0;

	if (!is_unix)
		programs_expect(open_tcp(made.ends), "no TCP connection", errno);
	else
		programs_expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made.ends) == 0,
			"no socketpair", errno);
	/* For Unix sockets only: with small TCP buffers, late acknowledgements would slow the test
	 * down. */
	for (int end = 0; end < 2 && is_unix; end++)
		if (below(2))
			setsockopt(made.ends[end], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	made.is_ready = !is_secure;
	*place = made;
}

void
connection_close(struct connection *place)
{
	struct connection was = *place;

	place->ends[0] = place->ends[1] = -1;
	if (was.ends[0] == -1)
		return;
	hub_close(was.ends[0]);
	hub_close(was.ends[1]);
}

struct accepting {
	struct connection *place;
	unsigned serial;
};

static bool
is_still(const struct connection *place, unsigned serial)
{
	return place->ends[0] != -1 && place->serial == serial;
}

static void *
accept_secure(void *argument)
{
	struct accepting *accepting = argument;
	struct connection *place = accepting->place;

	if (is_still(place, accepting->serial) && hub_tls_accept(place->ends[0], tls_server) == 0)
		place->is_accepted = place->serial == accepting->serial;
	return NULL;
}

void
connection_shake_hands(struct connection *place)
{
	struct accepting accepting = {place, place->serial};
	struct hub_timeout scope;
	struct hub_nursery nursery;
	int result;

	hub_timeout_start(&scope, below(8) == 0 ? below(2000) * HUB_MICROSECOND : HUB_SECOND);
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, accept_secure, &accepting);
	result = hub_tls_connect(place->ends[1], tls_client, NULL);
	if (result != 0)
		hub_nursery_cancel(&nursery);
	hub_nursery_close(&nursery);
	hub_timeout_stop(&scope);
	if (is_still(place, accepting.serial)) {
		place->is_ready = result == 0 && place->is_accepted;
		place->is_spoiled = place->is_spoiled || !place->is_ready;
	}
}
