/* Tells each client its address: that which a proxy in front has named (--proxy-protocol=on), or
 * else its own. It speaks TLS with --tls-cert, and then also tells the subject of the client's
 * certificate (--tls-client), and which of its protocols the client has chosen; and it answers
 * datagrams (--listen=udp:HOST:PORT). */
#include <arpa/inet.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static int
describe(const struct sockaddr_storage *peer, char *text, size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
	char host[INET6_ADDRSTRLEN] = "";

	if (peer->ss_family == AF_INET)
		return snprintf(text, size, "%s port %u\n",
			inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host), ntohs(v4->sin_port));
	if (peer->ss_family == AF_INET6)
		return snprintf(text, size, "%s port %u\n",
			inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host),
			ntohs(v6->sin6_port));
	return snprintf(text, size, "this machine\n");
}

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
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;
	char text[80];

	(void)context;
	if (hubbub_peer(client, (struct sockaddr *)&peer, &length) == 0)
		hub_send(client, text, (size_t)describe(&peer, text, sizeof text), 0);
	tell_handshake(client);
}

static ssize_t
answer(struct hub_datagram *datagram, size_t size, void *context)
{
	(void)context;
	return describe(&datagram->address, datagram->data, size);
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
