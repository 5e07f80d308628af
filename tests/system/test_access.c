/* The access log: a line for each connection, whatever has ended it. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define PATIENCE 20 /* seconds */

static struct server server;

static void
end(void)
{
	server_clean(&server);
}

TestSuite(access_log, .fini = end, .timeout = 300);

static void
expect(const char *text)
{
	cr_expect(program_expect(&server.program, text, PATIENCE), "%s is not in: %s", text,
		server.program.text);
}

/* A client that has had an answer, and stays. */
static int
greet(void)
{
	int client = client_connect(server.program.port);

	cr_assert(client_exchange(client, "hello", "HELLO"));
	return client;
}

/* One whose server is slower than a second has more seconds. */
static void
expect_less_than_a_second(void)
{
	static const char text[] = " received=5 sent=5 seconds=0.";

	for (int tries = 0; tries < 20 && strstr(server.program.text, text) == NULL; tries++) {
		close(greet());
		program_expect(&server.program, text, 2);
	}
	expect(text);
}

Test(access_log, has_a_line_for_each_connection_and_says_what_has_ended_it)
{
	int client;

	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--access-log=on", NULL));
	expect_less_than_a_second();
	expect(" ended_by=peer worker=0 hub=");
	client = greet();
	kill(server.pid, SIGTERM);
	cr_assert(client_sees_end(client));
	expect(" ended_by=drain worker=0 hub=");
	close(client);
	server_clean(&server);
	cr_assert(server_start(
		&server, "hubbub-echo", "1", "2", "--access-log=on", "--idle-timeout=1", NULL));
	client = client_connect(server.program.port);
	cr_assert(client_sees_end(client));
	expect(" ended_by=\"idle timeout\" worker=0 hub=");
	close(client);
}

/* The client is whom the header names. */
Test(access_log, knows_the_client_of_a_proxy_and_who_was_refused)
{
	int client;

	cr_assert(server_start(
		&server, "hubbub-echo", "1", "1", "--access-log=on", "--proxy-protocol=on", NULL));
	client = client_connect(server.program.port);
	cr_assert(client_exchange(
		client, "PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\nhello", "HELLO"));
	close(client);
	expect(" ended_by=peer worker=0 hub=0 client=192.0.2.7:8080\n");
	client = client_connect(server.program.port);
	cr_assert(client_is_answered(client, "GET / HTTP/1.0\r\n\r\n", ""));
	expect(" ended_by=refused worker=0 hub=0 client=127.0.0.1:");
}

Test(access_log, is_off_unless_it_is_asked_for)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert(client_is_answered(client_connect(server.program.port), "hello", "HELLO"));
	cr_assert_eq(server_end(&server, PATIENCE), 0);
	cr_expect_null(strstr(server.program.text, "connection listener="));
}
