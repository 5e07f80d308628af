#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/names.h"

struct record {
	int errors[8];
	char bytes[8];
};

static struct record *current;

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

/* Connects to host, where listener listens; returns 0 if it is answered. */
static int
talk(const char *host, int listener)
{
	struct hub_coroutine *server = hub_spawn(serve_one, (void *)(intptr_t)listener);
	char port[8];
	int fd, result = -1;

	port_of(listener, port);
	fd = hub_create_connection(host, port);
	if (fd >= 0) {
		memset(current->bytes, 0, sizeof current->bytes);
		if (hub_recv(fd, current->bytes, 5, MSG_WAITALL) == 5)
			result = strcmp(current->bytes, "hello");
		hub_close(fd);
	} else {
		result = errno;
		hub_kill(server);
	}
	hub_join(server, NULL);
	return result;
}

static void *
talk_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0);
	struct hub_timeout scope;

	current = argument;
	current->errors[0] = talk("127.0.0.1", listener);
	/* localhost may have IPv6 first, where nobody listens: the next address is tried. */
	current->errors[1] = talk("localhost", listener);
	hub_close(listener);
	listener = hub_create_server(NULL, "0", 0);
	current->errors[2] = talk("127.0.0.1", listener);
	hub_timeout_start(&scope, 0);
	current->errors[3] = hub_create_connection("127.0.0.1", "9") == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	hub_close(listener);
	current->errors[4] = hub_create_connection("127.0.0.1", "1") == -1 ? errno : 0;
	current->errors[5] =
		hub_create_connection("127.0.0.1", "no-such-service") == -1 ? errno : 0;
	current->errors[6] = hub_create_server("192.0.2.1", "0", 0) == -1 ? errno : 0;
	return NULL;
}

Test(connect, finds_the_address_that_answers)
{
	struct record record = {0};

	in_hub(talk_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], 0);
	cr_assert_eq(record.errors[2], 0);
	cr_assert_eq(record.errors[3], ETIMEDOUT);
	cr_assert_eq(record.errors[4], ECONNREFUSED);
	cr_assert_eq(record.errors[5], ENOENT);
	cr_assert_eq(record.errors[6], EADDRNOTAVAIL);
}

static void *
named_body(void *argument)
{
	struct record *record = argument;
	int listener = hub_create_server("127.0.0.20", "0", 0), second;
	char port[8];

	current = record;
	record->errors[0] = talk("many", listener);
	port_of(listener, port);
	hub_close(listener);
	listener = hub_create_server("partly", "0", 0);
	record->errors[1] = talk("127.0.0.1", listener);
	port_of(listener, port);
	second = hub_create_server("both", port, 0);
	record->errors[2] = second == -1 ? errno : 0;
	record->errors[3] = hub_create_server("elsewhere", "0", 0) == -1 ? errno : 0;
	hub_close(listener);
	return NULL;
}

Test(connect, tries_all_addresses_of_a_name)
{
	struct record record = {0};
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
	in_hub(named_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], 0, "one that this machine does not have is passed over");
	cr_assert_eq(record.errors[2], EADDRINUSE, "one that is in use is not");
	cr_assert_eq(record.errors[3], EADDRNOTAVAIL);
}
