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
#define HELD_MAX ((size_t)16 << 20)         /* for one peer */
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
 * read anything, so a bounded amount is held for them; beyond it the peer has to wait. */
struct held {
	char *bytes;
	size_t length;
	size_t sent;
};

static _Thread_local size_t held_by_hub;

static bool
hold(struct held *held, const char *bytes, size_t length)
{
	char *grown;

	/* What was sent makes room, when that is at least as much as has to be moved. */
	if (held->sent > 0 && held->sent >= held->length / 2) {
		held->length -= held->sent;
		memmove(held->bytes, held->bytes + held->sent, held->length);
		held->sent = 0;
	}
	grown = realloc(held->bytes, held->length + length);
	if (grown == NULL)
		return false;
	memcpy(grown + held->length, bytes, length);
	held->bytes = grown;
	held->length += length;
	held_by_hub += length;
	return true;
}

static bool
may_hold_more(const struct held *held)
{
	return held->length < HELD_MAX && held_by_hub < HELD_BY_HUB_MAX;
}

/* Sends what the peer takes now. Returns false if the connection is broken. */
static bool
send_held(int client, struct held *held)
{
	ssize_t sent =
		hub_send(client, held->bytes + held->sent, held->length - held->sent, MSG_DONTWAIT);

	if (sent < 0)
		return errno == EAGAIN;
	held->sent += (size_t)sent;
	held_by_hub -= (size_t)sent;
	return true;
}

/* Both ways at once, until the peer has read all. Returns false when the connection is to end. */
static bool
catch_up(int client, const struct echo *echo, struct held *held)
{
	while (held->sent < held->length) {
		int ready = hub_wait_fd(client, may_hold_more(held) ? POLLIN | POLLOUT : POLLOUT);
		ssize_t received;

		if (ready < 0 || ((ready & POLLOUT) && !send_held(client, held)))
			return false;
		if (!(ready & POLLIN))
			continue;
		received = receive(client, echo, MSG_DONTWAIT);
		if (received == 0) {
			hub_send(client, held->bytes + held->sent, held->length - held->sent, 0);
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
	bool goes_on;

	if (!hold(&held, rest, length))
		return false;
	goes_on = catch_up(client, echo, &held);
	held_by_hub -= held.length - held.sent;
	free(held.bytes);
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

/* Two echo services that answer each other, or one itself, would never cease; a forged sender is
 * enough to begin. */
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
	return port_of(&datagram->address) == own.port;
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
