/* Connections and listeners by name, whatever addresses it has. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/names.h"
#include "tests/support/trace.h"

static void
port_of(int listener, char *text)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;

	getsockname(listener, (struct sockaddr *)&address, &length);
	snprintf(text, 8, "%d", ntohs(((struct sockaddr_in *)(void *)&address)->sin_port));
}

static void *
serve_one(void *argument)
{
	int client = hub_accept((int)(intptr_t)argument, NULL, NULL);

	hub_send(client, "hello", 5, 0);
	hub_close(client);
	return NULL;
}

/* Connects to host, where listener listens, and says what answers. */
static void
talk(const char *host, int listener)
{
	struct hub_coroutine *server = hub_spawn(serve_one, (void *)(intptr_t)listener);
	char port[8], bytes[6] = "";
	int fd;

	port_of(listener, port);
	fd = hub_create_connection(host, port);
	if (fd >= 0) {
		hub_recv(fd, bytes, 5, MSG_WAITALL);
		trace_say("%s says '%s'", host, bytes);
		hub_close(fd);
	} else {
		trace_call(host, fd);
		hub_kill(server);
	}
	hub_join(server, NULL);
}

static void *
talk_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0);
	struct hub_timeout scope;

	talk("127.0.0.1", listener);
	/* localhost may have IPv6 first, where nobody listens: the next address is tried. */
	talk("localhost", listener);
	hub_close(listener);
	listener = hub_create_server(NULL, "0", 0);
	talk("127.0.0.1", listener);
	hub_timeout_start(&scope, 0);
	trace_call("no time", hub_create_connection("127.0.0.1", "9"));
	hub_timeout_stop(&scope);
	hub_close(listener);
	trace_call("nobody", hub_create_connection("127.0.0.1", "1"));
	trace_call("no service", hub_create_connection("127.0.0.1", "no-such-service"));
	trace_call("no address of ours", hub_create_server("192.0.2.1", "0", 0));
	return argument;
}

Test(connect, finds_the_address_that_answers)
{
	in_hub(talk_body, NULL);
	cr_assert_str_eq(trace_text(),
		"127.0.0.1 says 'hello', localhost says 'hello', 127.0.0.1 says 'hello', "
		"no time ETIMEDOUT, nobody ECONNREFUSED, no service ENOENT, "
		"no address of ours EADDRNOTAVAIL");
}

static void *
named_body(void *argument)
{
	int listener = hub_create_server("127.0.0.20", "0", 0);
	char port[8];

	talk("many", listener);
	port_of(listener, port);
	hub_close(listener);
	/* One that this machine does not have is passed over. */
	listener = hub_create_server("partly", "0", 0);
	talk("127.0.0.1", listener);
	port_of(listener, port);
	trace_call("one is in use", hub_create_server("both", port, 0));
	trace_call("none is ours", hub_create_server("elsewhere", "0", 0));
	hub_close(listener);
	return argument;
}

Test(connect, tries_all_addresses_of_a_name)
{
	const char *why = names_enter("127.0.0.1 many\n127.0.0.2 many\n127.0.0.3 many\n"
				      "127.0.0.4 many\n127.0.0.5 many\n127.0.0.6 many\n"
				      "127.0.0.7 many\n127.0.0.8 many\n127.0.0.9 many\n"
				      "127.0.0.10 many\n127.0.0.11 many\n127.0.0.12 many\n"
				      "127.0.0.13 many\n127.0.0.14 many\n127.0.0.15 many\n"
				      "127.0.0.16 many\n127.0.0.17 many\n127.0.0.18 many\n"
				      "127.0.0.19 many\n127.0.0.20 many\n"
				      "192.0.2.1 partly\n127.0.0.1 partly\n"
				      "127.0.0.1 both\n127.0.0.2 both\n192.0.2.1 elsewhere\n",
		true);

	if (why != NULL)
		cr_skip_test("%s", why);
	in_hub(named_body, NULL);
	cr_assert_str_eq(trace_text(),
		"many says 'hello', 127.0.0.1 says 'hello', one is in use EADDRINUSE, "
		"none is ours EADDRNOTAVAIL");
}
