/* Each client sends a text of its own, and receives at the same time. */
#include "tests/sim/echo.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define LENGTH 20000

struct echo echo;

static struct sockaddr_storage address;
static socklen_t address_length;
static struct hub_tls *server_tls, *client_tls;

static unsigned char
byte_of(int client, size_t at)
{
	return (unsigned char)(at * 7 + (size_t)client * 31);
}

static void
serve(int client, void *context)
{
	char bytes[1000];
	ssize_t length;

	(void)context;
	if (server_tls != NULL && hub_tls_accept(client, server_tls) != 0)
		return;
	while ((length = hub_recv(client, bytes, sizeof bytes, 0)) > 0)
		if (hub_send(client, bytes, (size_t)length, 0) != length)
			return;
}

/* ---- clients ---- */

struct client {
	int number, fd;
};

static void *
send_all(void *argument)
{
	const struct client *client = argument;
	unsigned char bytes[LENGTH];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = byte_of(client->number, i);
	/* The echo of what is missing would be waited for. */
	if (hub_send(client->fd, bytes, sizeof bytes, 0) != sizeof bytes)
		hub_shutdown(client->fd, SHUT_RDWR);
	return NULL;
}

/* Receives until an end, an error or all bytes. What has come is right, or it is wrong. */
static void
receive_all(const struct client *client)
{
	unsigned char bytes[3000];
	size_t got = 0;
	ssize_t length = 0;

	while (got < LENGTH && (length = hub_recv(client->fd, bytes, sizeof bytes, 0)) > 0)
		for (ssize_t i = 0; i < length; i++)
			echo.wrong += bytes[i] != byte_of(client->number, got++);
	if (got == LENGTH)
		echo.right++;
	else
		echo.failed++;
}

static bool
is_connected(int fd)
{
	return fd != -1 && hub_connect(fd, (struct sockaddr *)&address, address_length) == 0 &&
	       (client_tls == NULL || hub_tls_connect(fd, client_tls, "localhost") == 0);
}

static void *
be_client(void *argument)
{
	struct client client = {
		(int)(intptr_t)argument, hub_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	struct hub_coroutine *sender;

	if (!is_connected(client.fd)) {
		echo.failed++;
	} else {
		sender = hub_spawn(send_all, &client);
		receive_all(&client);
		hub_kill(sender);
		hub_join(sender, NULL);
	}
	if (client.fd != -1)
		hub_close(client.fd);
	return NULL;
}

/* ---- the run ---- */

/* In the world, so that its seed also decides what OpenSSL draws. */
static void
make_tls(const char *certificate)
{
	server_tls = client_tls = NULL;
	if (certificate == NULL)
		return;
	server_tls = hub_tls_server_new(certificate, certificate);
	client_tls = hub_tls_client_new(certificate);
	if (server_tls == NULL || client_tls == NULL)
		hub_fail(EINVAL, "%s", hub_tls_why());
}

void *
echo_body(void *certificate)
{
	struct hub_coroutine *clients[ECHO_CLIENTS];
	struct hub_server *server;
	int listener;

	make_tls(certificate);
	do
		listener = hub_create_server("127.0.0.1", "0", 0);
	while (listener == -1);
	address_length = sizeof address;
	getsockname(listener, (struct sockaddr *)&address, &address_length);
	server = hub_stream_server_new(listener, serve, NULL, NULL);
	hub_server_start(server);
	for (int i = 0; i < ECHO_CLIENTS; i++)
		clients[i] = hub_spawn(be_client, (void *)(intptr_t)i);
	for (int i = 0; i < ECHO_CLIENTS; i++)
		hub_join(clients[i], NULL);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	hub_tls_free(server_tls);
	hub_tls_free(client_tls);
	return NULL;
}
