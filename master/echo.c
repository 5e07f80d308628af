/* hubbub-echo: sends back what it receives, in upper case or as it is. */
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_SIZE ((size_t)64 * 1024)
#define PIECE_SIZE ((size_t)64 * 1024)
#define HELD_MAX ((size_t)13 << 20) /* for one peer, with what the kernel holds that it has sent */
#define HELD_BY_HUB_MAX ((size_t)128 << 20) /* for all of a hub's */

struct echo {
	bool is_verbatim;
};

/* One buffer per thread serves every connection, for hub_recv does not switch once it has data, nor
 * does hub_send with MSG_DONTWAIT: so an idle connection keeps no buffer, nor stack for one. */
static _Thread_local char buffer[BUFFER_SIZE];

static void
upper(char *text, size_t length)
{
	/* Without branches, so that the compiler makes vectors of it. */
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		text[i] = (char)(c - ((unsigned char)(c - 'a') < 26 ? 'a' - 'A' : 0));
	}
}

/* Receives into the buffer what is to be sent back. */
static ssize_t
receive(int client, const struct echo *echo, int flags)
{
	ssize_t received = hub_recv(client, buffer, sizeof buffer, flags);

	if (received > 0 && !echo->is_verbatim)
		upper(buffer, (size_t)received);
	return received;
}

/* What a peer has been sent back but does not read. Some clients write all they have before they
 * read anything, so a bounded amount is held for them; beyond it the peer has to wait. It is held
 * in pieces, which cost what is in them: a buffer that grows costs its copies, too. */
struct piece {
	struct piece *next;
	size_t length;
	size_t sent;
	char bytes[PIECE_SIZE - 3 * sizeof(size_t)];
};

struct held {
	struct piece *first; /* what is sent next; NULL for nothing */
	struct piece *last;
	size_t length; /* of all that is not sent */
};

static _Thread_local size_t held_by_hub;

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

/* The kernel's buffer for what the peer sends may have grown to a multiple of what is held here;
 * the one for what is sent to it holds 4 MiB more (net.ipv4.tcp_wmem). */
static bool
may_hold_more(int client, const struct held *held)
{
	int room = 0;
	socklen_t length = sizeof room;

	getsockopt(client, SOL_SOCKET, SO_RCVBUF, &room, &length);
	return held->length + (size_t)room < HELD_MAX && held_by_hub < HELD_BY_HUB_MAX;
}

/* Sends what the peer takes now, or with no flags all. Returns false if the connection is
 * broken. */
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

/* Both ways at once, until the peer has read all. Returns false when the connection is to end. */
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

/* The peer did not take all at once. Returns false when the connection is to end. */
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
			sent = 0; /* full, or broken, which send_rest finds out */
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

/* Two services that answer whatever comes, or one itself, would answer each other for ever; a
 * forged sender is enough to begin. The limit for loops knows an echo, but not chargen. Nobody
 * whose datagrams need an answer has a port of the system's services. */
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
