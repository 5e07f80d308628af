/* A service with named listeners, for the tests of them (test_named.c): each has a function of its
 * own. A client gets the name of the function that serves it and what hubbub_listener tells, as
 * "admin admin\n", and after it all that it sends. Datagrams are answered with the function's name.
 */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdio.h>
#include <string.h>

static void
serve_as(const char *function, int client)
{
	char bytes[256];
	ssize_t got = snprintf(bytes, sizeof bytes, "%s %s\n", function, hubbub_listener(client));

	do
		hub_send(client, bytes, (size_t)got, 0);
	while ((got = hub_recv(client, bytes, sizeof bytes, 0)) > 0);
}

static void
serve_main(int client, void *context)
{
	(void)context;
	serve_as("main", client);
}

static void
serve_admin(int client, void *context)
{
	(void)context;
	serve_as("admin", client);
}

static void
serve_both(int client, void *context)
{
	(void)context;
	serve_as("both", client);
}

static ssize_t
answer_as(const char *function, struct hub_datagram *datagram)
{
	size_t length = strlen(function);

	memcpy(datagram->data, function, length);
	return (ssize_t)length;
}

static ssize_t
answer_main(struct hub_datagram *datagram, size_t size, void *context)
{
	(void)size, (void)context;
	return answer_as("main", datagram);
}

static ssize_t
answer_both(struct hub_datagram *datagram, size_t size, void *context)
{
	(void)size, (void)context;
	return answer_as("both", datagram);
}

int
main(int argc, char **argv)
{
	static const struct hubbub_listener listeners[] = {{.name = "admin", .serve = serve_admin},
		{.name = "both", .serve = serve_both, .answer = answer_both}, {0}};
	static const struct hubbub_service service = {.name = "named",
		.version = "1.0",
		.listen = "127.0.0.1:0",
		.serve = serve_main,
		.answer = answer_main,
		.listeners = listeners};

	return hubbub_main(argc, argv, &service);
}
