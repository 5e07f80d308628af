/* hubbub-echo: sends back what it receives, in upper case or as it is.
 *
 * An idle connection costs no buffer: one buffer per thread serves all of them, and memory is
 * allocated only for a peer that does not read its answers. That memory is bounded for each peer
 * and for each hub; beyond the bound the hub stops reading from the peer. */
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_SIZE ((size_t)64 * 1024) /* bytes received at a time */
#define PIECE_SIZE ((size_t)64 * 1024)  /* bytes of a struct piece */
#define HELD_MAX ((size_t)13 << 20)     /* bytes for one peer, with the kernel's receive buffer */
#define HELD_BY_HUB_MAX ((size_t)128 << 20) /* bytes for all peers of a hub */

struct echo {
	bool is_verbatim;
};

/* Between hub_recv and hub_send with MSG_DONTWAIT no other coroutine runs: hub_recv does not switch
 * once it has data, and MSG_DONTWAIT never does. So one buffer per thread is enough. */
static _Thread_local char buffer[BUFFER_SIZE];

static void
upper(char *text, size_t length)
{
	/* Without branches, so that the compiler can vectorise the loop. */
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		text[i] = (char)(c - ((unsigned char)(c - 'a') < 26 ? 'a' - 'A' : 0));
	}
}

/* Receives into buffer, and makes it the answer. Returns as hub_recv does. */
static ssize_t
receive(int client, const struct echo *echo, int flags)
{
	ssize_t received = hub_recv(client, buffer, sizeof buffer, flags);

	if (received > 0 && !echo->is_verbatim)
		upper(buffer, (size_t)received);
	return received;
}

/* A piece of the answers that a peer does not read. Some clients write all of their data before
 * they read, so a bounded amount is held for them; beyond it the hub stops reading from the peer.
 * Pieces need no copying when more is held, as a growing buffer would. */
struct piece {
	struct piece *next;
	size_t length; /* bytes held */
	size_t sent;   /* of these */
	char bytes[PIECE_SIZE - 3 * sizeof(size_t)];
};

/* All that is held for one peer. */
struct held {
	struct piece *first; /* sent next; NULL if nothing is held */
	struct piece *last;  /* valid unless first is NULL */
	size_t length;       /* bytes that are not sent yet */
};

static _Thread_local size_t held_by_hub; /* bytes held for all peers of this thread's hub */

static struct piece *
add_piece(struct held *held)
{
	struct piece *piece = malloc(sizeof *piece);

	if (piece == NULL)
		return NULL;
	piece->next = NULL;
	piece->length = piece->sent = 0;
	if (held->first == NULL)
		held->first = piece;
	else
		held->last->next = piece;
	held->last = piece;
	return piece;
}

static void
drop_piece(struct held *held)
{
	struct piece *piece = held->first;

	held->first = piece->next;
	free(piece);
}

/* Holds bytes behind those that are held. Returns false if out of memory. */
static bool
hold(struct held *held, const char *bytes, size_t length)
{
	while (length > 0) {
		struct piece *last = held->first != NULL ? held->last : NULL;
		size_t part;

		if (last == NULL || last->length == sizeof last->bytes)
			last = add_piece(held);
		if (last == NULL)
			return false;
		part = sizeof last->bytes - last->length;
		part = length < part ? length : part;
		memcpy(last->bytes + last->length, bytes, part);
		last->length += part;
		held->length += part;
		held_by_hub += part;
		bytes += part;
		length -= part;
	}
	return true;
}

/* Whether more may be received from the peer. The kernel's receive buffer counts, because it may
 * grow to a multiple of what is held here. Its send buffer does not: that holds another 4 MiB
 * (net.ipv4.tcp_wmem). */
static bool
may_hold_more(int client, const struct held *held)
{
	int room = 0;
	socklen_t length = sizeof room;

	getsockopt(client, SOL_SOCKET, SO_RCVBUF, &room, &length);
	return held->length + (size_t)room < HELD_MAX && held_by_hub < HELD_BY_HUB_MAX;
}

/* Sends what the socket takes now (MSG_DONTWAIT), or all (flags 0). Returns false if the connection
 * is broken. */
static bool
send_held(int client, struct held *held, int flags)
{
	while (held->first != NULL) {
		struct piece *piece = held->first;
		ssize_t sent = hub_send(
			client, piece->bytes + piece->sent, piece->length - piece->sent, flags);

		if (sent < 0)
			return errno == EAGAIN;
		piece->sent += (size_t)sent;
		held->length -= (size_t)sent;
		held_by_hub -= (size_t)sent;
		if (piece->sent < piece->length)
			return true;
		drop_piece(held);
	}
	return true;
}

/* Sends and receives at the same time, until the peer has read all. Returns false if the connection
 * is to end. */
static bool
catch_up(int client, const struct echo *echo, struct held *held)
{
	while (held->first != NULL) {
		int ready = hub_wait_fd(
			client, may_hold_more(client, held) ? POLLIN | POLLOUT : POLLOUT);
		ssize_t received;

		if (ready < 0 || ((ready & POLLOUT) && !send_held(client, held, MSG_DONTWAIT)))
			return false;
		if (!(ready & POLLIN))
			continue;
		received = receive(client, echo, MSG_DONTWAIT);
		if (received == 0) {
			send_held(client, held, 0);
			return false;
		}
		if (received < 0 && errno != EAGAIN)
			return false;
		if (received > 0 && !hold(held, buffer, (size_t)received))
			return false;
	}
	return true;
}

/* Sends what the socket did not take at once; rest lies in buffer, and so is copied before anything
 * else is received. Returns false if the connection is to end. */
static bool
send_rest(int client, const struct echo *echo, const char *rest, size_t length)
{
	struct held held = {0};
	bool goes_on = hold(&held, rest, length) && catch_up(client, echo, &held);

	held_by_hub -= held.length;
	while (held.first != NULL)
		drop_piece(&held);
	return goes_on;
}

/* Answers what comes at once; a peer that does not take its answer is left to send_rest. */
static void
serve(int client, void *context)
{
	const struct echo *echo = context;
	ssize_t received;

	while ((received = receive(client, echo, 0)) > 0) {
		ssize_t sent = hub_send(client, buffer, (size_t)received, MSG_DONTWAIT);

		if (sent == received)
			continue;
		if (sent < 0)
			sent = 0; /* the socket is full, or broken: send_rest finds out */
		if (!send_rest(client, echo, buffer + sent, (size_t)(received - sent)))
			return;
	}
}

static in_port_t
port_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
					      : ((const struct sockaddr_in *)address)->sin_port;
}

/* Whether a datagram comes from this service's own port number or from a privileged port. Two
 * services that answer every datagram would answer each other for ever, and one forged sender
 * starts it. --loop-limit recognises another echo, but not a service such as chargen. Clients do
 * not send from privileged ports. */
static bool
is_from_a_service(const struct hub_datagram *datagram)
{
	static _Thread_local struct {
		int socket;
		in_port_t port;
	} own = {-1, 0};

	if (own.socket != datagram->socket) {
		struct sockaddr_storage address = {.ss_family = AF_INET};
		socklen_t length = sizeof address;

		getsockname(datagram->socket, (struct sockaddr *)&address, &length);
		own.port = port_of(&address);
		own.socket = datagram->socket;
	}
	return port_of(&datagram->address) == own.port ||
	       ntohs(port_of(&datagram->address)) < IPPORT_RESERVED;
}

static ssize_t
answer(struct hub_datagram *datagram, size_t size, void *context)
{
	const struct echo *echo = context;

	(void)size;
	if (is_from_a_service(datagram))
		return -1;
	if (!echo->is_verbatim)
		upper(datagram->data, datagram->length);
	return (ssize_t)datagram->length;
}

int
main(int argc, char **argv)
{
	static struct echo echo;
	static const char *const replies[] = {"upper", "verbatim"};
	static const struct hubbub_option options[] = {
		{.name = "reply",
			.values = "upper|verbatim",
			.help = "What is sent back",
			.kind = HUBBUB_CHOICE,
			HUBBUB_FIELD(struct echo, is_verbatim),
			.standard = "upper",
			HUBBUB_WORDS(replies)},
		{0},
	};
	static const struct hubbub_service service = {
		.name = "hubbub-echo",
		.version = HUBBUB_VERSION,
		.listen = "127.0.0.1:9090",
		.serve = serve,
		.answer = answer,
		.context = &echo,
		.context_size = sizeof echo,
		.options = options,
	};

	return hubbub_main(argc, argv, &service);
}
