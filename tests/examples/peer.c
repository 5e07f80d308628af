/* Tells each client its address: that which a proxy in front has named (--proxy-protocol=on), or
 * else its own. It speaks TLS with --tls-cert, and then also tells the subject of the client's
 * certificate (--tls-client), and which of its protocols the client has chosen; and it answers
 * datagrams (--listen=udp:HOST:PORT). */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdio.h>

/* A line on the client's certificate, if it has shown one, and on the protocol, if there is one. */
static void
tell_handshake(int client)
{
	char subject[200], text[240];
	bool is_verified;
	ssize_t length = hubbub_peer_subject(client, subject, sizeof subject, &is_verified);
	const char *protocol = hubbub_protocol(client);

	if (length >= 0)
		hub_send(client, text,
			(size_t)snprintf(text, sizeof text, "%s, %s\n", subject,
				is_verified ? "verified" : "not verified"),
			0);
	if (protocol != NULL)
		hub_send(client, text,
			(size_t)snprintf(text, sizeof text, "protocol %s\n", protocol), 0);
}

static void
serve(int client, void *context)
{
	char address[HUBBUB_PEER_TEXT_SIZE], text[80];

	(void)context;
	hubbub_peer_text(client, address, sizeof address);
	hub_send(client, text, (size_t)snprintf(text, sizeof text, "%s\n", address), 0);
	tell_handshake(client);
}

static ssize_t
answer(struct hub_datagram *datagram, size_t size, void *context)
{
	char address[HUBBUB_PEER_TEXT_SIZE];

	(void)context;
	hubbub_address_text(&datagram->address, address, sizeof address);
	return snprintf(datagram->data, size, "%s\n", address);
}

int
main(int argc, char **argv)
{
	static const char *const protocols[] = {"peer/2", "peer/1", NULL};
	static const struct hubbub_service peer = {.name = "peer",
		.version = "1.0",
		.listen = "127.0.0.1:9090",
		.serve = serve,
		.answer = answer,
		.protocols = protocols};

	return hubbub_main(argc, argv, &peer);
}
