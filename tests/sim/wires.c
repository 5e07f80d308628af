/* Every connection is made by a listener of its own, so that it is known which two ends belong
 * together. */
#include "tests/sim/wires.h"

#include <errno.h>
#include <fcntl.h>
#include <hubbub/sim.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE (60 * HUB_SECOND)

char wires_complaint[256];

static struct wire *all;
static unsigned serials;
static struct hub_tls *server_tls, *client_tls;

void
wires_complain(const struct wire *wire, const char *what, long value)
{
	if (wires_complaint[0] == '\0')
		snprintf(wires_complaint, sizeof wires_complaint, "wire %u (%d and %d): %s (%ld)",
			wire->serial, wire->ends[0].fd, wire->ends[1].fd, what, value);
}

bool
wires_begin(const char *certificate)
{
	all = NULL;
	serials = 0;
	server_tls = hub_tls_server_new(certificate, certificate);
	client_tls = hub_tls_client_new(certificate);
	return server_tls != NULL && client_tls != NULL;
}

void
wires_end(void)
{
	struct wire *wire;

	while ((wire = all) != NULL) {
		all = wire->next;
		wire_close(wire, 0);
		wire_close(wire, 1);
		free(wire);
	}
	hub_tls_free(server_tls);
	hub_tls_free(client_tls);
}

/* ---- bytes ---- */

static unsigned char
byte_at(const struct wire *wire, int from, uint64_t offset)
{
	uint64_t key = (uint64_t)wire->serial * 2 + (unsigned)from;

	key = (key << 40 ^ offset) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned char)(key >> 56);
}

void
wire_fill(const struct wire *wire, int end, unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = byte_at(wire, end, wire->ends[end].sent + i);
}

void
wire_judge(const struct wire *wire, int end, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != byte_at(wire, 1 - end, wire->ends[end].received + i)) {
			wires_complain(wire, "a byte is not the one that comes next",
				(long)(wire->ends[end].received + i));
			return;
		}
}

void
wire_judge_end(const struct wire *wire, int end)
{
	const struct wire_end *peer = &wire->ends[1 - end];

	/* Of a call that still sends it is not known yet how much it has sent. */
	if (wire->is_spoiled || wire->ends[end].is_deaf || peer->sends.owner != NULL)
		return;
	if (!peer->has_ended && peer->fd != -1)
		wires_complain(wire, "an end comes that nobody has made", end);
	if (wire->ends[end].received != peer->sent)
		wires_complain(wire, "bytes are missing, and nobody has seen an error",
			(long)(peer->sent - wire->ends[end].received));
}

/* Whether the network has lost the connection, as an end tells that is still open. Keeps errno. */
static bool
is_lost(const struct wire *wire)
{
	struct sockaddr_storage address;
	bool result = false;
	int error = errno;

	for (int end = 0; end < 2; end++) {
		int fd = wire->ends[end].fd;
		socklen_t length = sizeof address;

		result = result ||
			 (fd != -1 && getpeername(fd, (struct sockaddr *)&address, &length) != 0);
	}
	errno = error;
	return result;
}

/* Whether the call may fail so. That the connection is lost is told by whichever transfer comes
 * next. */
static bool
may_fail(enum errnos_call call, const struct errnos_row *row)
{
	return row->call == call ||
	       (row->breaks && (row->call == ERRNOS_SEND || row->call == ERRNOS_RECEIVE));
}

/* The row of that failure; NULL: it is none of the rare ones. */
static const struct errnos_row *
row_of(enum errnos_call call, int error)
{
	size_t count;
	const struct errnos_row *rows = errnos_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].error == error && may_fail(call, &rows[i]))
			return &rows[i];
	return NULL;
}

static bool
has(const int *errors, size_t count, int error)
{
	for (size_t i = 0; i < count; i++)
		if (errors[i] == error)
			return true;
	return false;
}

#define HAS(errors, error) has(errors, sizeof errors / sizeof errors[0], error)

void
wire_failed(struct wire *wire, enum errnos_call call, const char *what)
{
	static const int callers[] = {ECANCELED, ETIMEDOUT, EAGAIN, EINTR, EBADF, ESHUTDOWN};
	static const int wires[] = {EPIPE, ECONNRESET, ENOTCONN, EPROTO};
	int error = errno;
	const struct errnos_row *row = row_of(call, error);

	/* A scope may have ended the call, too. */
	if (HAS(callers, error) && !(row != NULL && row->breaks && is_lost(wire)))
		return;
	if (error == ENOBUFS || (row != NULL && !row->breaks))
		return;
	wire->is_spoiled = true;
	if (row == NULL && !HAS(wires, error))
		wires_complain(wire, what, error);
}

/* ---- opening and closing ---- */

struct connecting {
	int fd;
	struct sockaddr_storage address;
	socklen_t length;
};

static void *
connect_it(void *argument)
{
	struct connecting *connecting = argument;

	if (hub_connect(connecting->fd, (struct sockaddr *)&connecting->address,
		    connecting->length) == 0)
		return NULL;
	return hub_fail(errno, "connect");
}

/* A listener at an address of its own; -1 if there is none. */
static int
listen_somewhere(struct connecting *connecting)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool is_unix = hub_sim_draw(2);
	int listener = hub_socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	int code;

	if (listener == -1)
		return -1;
	snprintf(local.sun_path + 1, sizeof local.sun_path - 1, "wire %u", serials);
	code = is_unix ? bind(listener, (struct sockaddr *)&local, sizeof local)
		       : bind(listener, (struct sockaddr *)&remote, sizeof remote);
	connecting->length = sizeof connecting->address;
	if (code == 0 && listen(listener, 1) == 0 &&
		getsockname(listener, (struct sockaddr *)&connecting->address,
			&connecting->length) == 0)
		return listener;
	hub_close(listener);
	return -1;
}

/* By a listener. Leaves -1 where there is no connection. */
static void
connect_ends(struct wire *wire)
{
	struct connecting connecting;
	struct hub_nursery nursery;
	struct hub_timeout scope;
	int listener = listen_somewhere(&connecting);

	if (listener == -1)
		return;
	connecting.fd = hub_socket(connecting.address.ss_family, SOCK_STREAM, 0);
	hub_timeout_start(&scope, PATIENCE);
	hub_nursery_open(&nursery);
	if (connecting.fd != -1 && hub_nursery_spawn(&nursery, connect_it, &connecting) != NULL)
		wire->ends[1].fd = hub_accept(listener, NULL, NULL);
	if (wire->ends[1].fd == -1)
		hub_nursery_cancel(&nursery);
	if (hub_nursery_close(&nursery) == 0 && wire->ends[1].fd != -1) {
		wire->ends[0].fd = connecting.fd;
	} else {
		if (connecting.fd != -1)
			hub_close(connecting.fd);
		wire_close(wire, 1);
	}
	hub_timeout_stop(&scope);
	hub_close(listener);
}

static void
pair_ends(struct wire *wire)
{
	int pair[2];
	int size = 1 << (10 + hub_sim_draw(8));

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return;
	if (hub_sim_draw(2))
		setsockopt(pair[hub_sim_draw(2)], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	wire->ends[0].fd = pair[0];
	wire->ends[1].fd = pair[1];
}

static void *
accept_tls(void *argument)
{
	struct wire *wire = argument;

	return hub_tls_accept(wire->ends[1].fd, server_tls) == 0 ? NULL : hub_fail(errno, "accept");
}

/* Nobody else knows the wire yet. */
static void
shake_hands(struct wire *wire)
{
	struct hub_nursery nursery;
	struct hub_timeout scope;
	int result = -1;

	hub_timeout_start(&scope, hub_sim_draw(8) == 0 ? HUB_MILLISECOND : PATIENCE);
	hub_nursery_open(&nursery);
	if (hub_nursery_spawn(&nursery, accept_tls, wire) != NULL)
		result = hub_tls_connect(wire->ends[0].fd, client_tls, NULL);
	if (result != 0)
		hub_nursery_cancel(&nursery);
	wire->is_ready = hub_nursery_close(&nursery) == 0 && result == 0;
	hub_timeout_stop(&scope);
}

/* A wire with a number of its own, and no ends. */
static struct wire *
new_wire(void)
{
	struct wire *wire = calloc(1, sizeof *wire);

	if (wire == NULL)
		return NULL;
	wire->serial = serials++;
	wire->ends[0].fd = wire->ends[1].fd = -1;
	wire->next = all;
	all = wire;
	return wire;
}

static void
let_the_world_close(struct wire *wire)
{
	for (int end = 0; end < 2; end++)
		if (wire->is_ready)
			hub_sim_may_close(&wire->ends[end].fd);
}

struct wire *
wire_open(void)
{
	struct wire *wire = new_wire();

	if (wire == NULL)
		return NULL;
	wire->is_secure = hub_sim_draw(3) == 0;
	if (hub_sim_draw(3) == 0)
		pair_ends(wire);
	else
		connect_ends(wire);
	if (wire->ends[0].fd != -1 && wire->is_secure)
		shake_hands(wire);
	else
		wire->is_ready = wire->ends[0].fd != -1;
	let_the_world_close(wire);
	return wire;
}

struct wire *
wire_open_pipe(void)
{
	struct wire *wire = new_wire();
	int pair[2];

	if (wire == NULL || pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
		return wire;
	wire->ends[0].fd = pair[1];
	wire->ends[1].fd = pair[0];
	wire->is_pipe = wire->is_ready = true;
	let_the_world_close(wire);
	return wire;
}

void
wire_close(struct wire *wire, int end)
{
	struct wire_end *own = &wire->ends[end];

	/* The world looks there, until it is closed. */
	if (own->fd != -1)
		hub_close(own->fd);
	own->fd = -1;
}
