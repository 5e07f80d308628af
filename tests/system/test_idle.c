/* Which connections are idle: timeouts and draining, for every way in which a service can wait for
 * its client (waits.c). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/server.h"

static const char *const ways[] = {"receive", "wait_fd", "select", "poll", "patched",
	"patched_poll", "patched_select", "epoll", "aside", "stream"};

#define WAYS (sizeof ways / sizeof ways[0])

/* One server for each way; all run at once. */
static struct server servers[WAYS], *const only = &servers[0];
static struct certificate certificate;

static void
end(void)
{
	for (size_t i = 0; i < WAYS; i++)
		server_clean(&servers[i]);
	certificate_clean(&certificate);
}

TestSuite(idle, .fini = end, .timeout = 600);

static void
start_all(const char *option, const char *another)
{
	char way[40];

	for (size_t i = 0; i < WAYS; i++) {
		snprintf(way, sizeof way, "--way=%s", ways[i]);
		cr_assert(server_start(&servers[i], "waits", "1", "1", way, option, another, NULL),
			"%s", servers[i].program.text);
	}
}

static void
connect_all(int *clients)
{
	for (size_t i = 0; i < WAYS; i++) {
		clients[i] = client_connect(servers[i].program.port);
		cr_assert_neq(clients[i], -1);
	}
}

/* Waits for the end of each client. Returns, in words, the ways that do not see it. */
static const char *
who_goes_on(const int *clients)
{
	static char text[200];

	text[0] = '\0';
	for (size_t i = 0; i < WAYS; i++)
		if (!client_sees_end(clients[i])) {
			strcat(text, " ");
			strcat(text, ways[i]);
		}
	return text;
}

/* Whether the server has sent anything, or ended, by now. */
static bool
is_told(int client)
{
	struct pollfd query = {.fd = client, .events = POLLIN};

	return poll(&query, 1, 0) != 0;
}

static bool
say(int client, const char *text)
{
	return send(client, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void
reload(const struct server *server)
{
	cr_assert_eq(kill(server->pid, SIGHUP), 0);
}

static bool
has_reloaded(void *server)
{
	return server_number(server, "totals.reloads") == 1;
}

/* Waits until the server, which was told to reload, has done so: now it drains. */
static void
await_reload(struct server *server)
{
	cr_assert(wait_until(has_reloaded, server, 20), "%s", server->program.text);
}

/* ---- the idle timeout ---- */

/* So long that nobody who is at work is silent for that time on a busy machine either. */
#define IDLE_TIMEOUT "--idle-timeout=4"
#define LONG 7000 /* milliseconds: longer than that */

Test(idle, it_ends_connections_however_they_are_waited_for)
{
	int clients[WAYS];

	start_all(IDLE_TIMEOUT, NULL);
	connect_all(clients);
	for (size_t i = 0; i < WAYS; i++)
		cr_assert(client_exchange(clients[i], "hello\n", "HELLO\n"), "%s", ways[i]);
	cr_assert_str_eq(who_goes_on(clients), "", "by%s a silent one stays", who_goes_on(clients));
	for (size_t i = 0; i < WAYS; i++) {
		cr_assert_eq(server_number(&servers[i], "totals.idle_closed"), 1, "%s", ways[i]);
		close(clients[i]);
	}
}

Test(idle, whoever_sends_is_not_idle_whoever_reads_it)
{
	int clients[WAYS];
	int64_t end;

	start_all(IDLE_TIMEOUT, NULL);
	connect_all(clients);
	end = clock_now() + 3 * LONG / 2 * CLOCK_MILLISECOND;
	for (int round = 0; clock_now() < end; round++)
		for (size_t i = 0; i < WAYS; i++)
			/* Some send half a request each time, which is not answered. */
			cr_assert(round % 2 == 0 ? say(clients[i], "he")
						 : client_exchange(clients[i], "llo\n", "HELLO\n"),
				"%s", ways[i]);
	for (size_t i = 0; i < WAYS; i++)
		close(clients[i]);
}

Test(idle, work_is_no_idleness)
{
	int client;

	cr_assert(server_start(only, "waits", "1", "1", IDLE_TIMEOUT, "--request-timeout=4", NULL));
	client = client_connect(only->program.port);
	cr_assert(client_exchange(client, "work 7000\n", "done\n"));
	cr_assert(client_exchange(client, "and\n", "AND\n"));
	cr_assert(client_sees_end(client));
	close(client);
}

Test(idle, who_says_that_it_is_busy_is_not_ended_until_it_says_that_it_is_not)
{
	int client;

	cr_assert(server_start(only, "waits", "1", "1", IDLE_TIMEOUT, NULL));
	client = client_connect(only->program.port);
	cr_assert(client_exchange(client, "busy\n", "yes\n"));
	poll(NULL, 0, LONG);
	cr_assert_not(is_told(client));
	cr_assert(client_exchange(client, "forget\n", "no\n"));
	cr_assert(client_sees_end(client));
	close(client);
}

/* ---- the request timeout ---- */

Test(idle, a_request_that_drips_is_broken_off)
{
	char byte[] = "x";
	int slow, quick, sent = 0;
	int64_t end;

	cr_assert(server_start(only, "waits", "1", "1", "--request-timeout=4", NULL));
	slow = client_connect(only->program.port);
	quick = client_connect(only->program.port);
	end = clock_now() + (int64_t)program_patience(20) * CLOCK_SECOND;
	while (!is_told(slow) && clock_now() < end) {
		sent += say(slow, byte);
		cr_assert(client_exchange(quick, "whole\n", "WHOLE\n"), "it is no slow one");
		poll(NULL, 0, 50);
	}
	cr_assert_gt(sent, 3);
	cr_assert(is_told(slow), "it drips for ever");
	/* A client without a request under way may be silent. */
	poll(NULL, 0, LONG);
	cr_assert(client_exchange(quick, "still\n", "STILL\n"));
	cr_assert_eq(server_number(only, "totals.request_closed"), 1);
	close(slow);
	close(quick);
}

/* Also half a request that has arrived together with the end of the request before. */
Test(idle, half_a_request_behind_a_whole_one_is_broken_off)
{
	int slow;

	cr_assert(server_start(only, "waits", "1", "1", "--request-timeout=1", NULL));
	slow = client_connect(only->program.port);
	cr_assert(client_exchange(slow, "whole\nhalf", "WHOLE\n"));
	cr_assert(client_sees_end(slow), "nobody waits for the rest of it");
	cr_assert_eq(server_number(only, "totals.request_closed"), 1);
	close(slow);
}

/* ---- draining ---- */

Test(idle, draining_ends_silent_connections_however_they_are_waited_for)
{
	int clients[WAYS];

	start_all("--drain-timeout=300", NULL);
	connect_all(clients);
	for (size_t i = 0; i < WAYS; i++)
		cr_assert(client_exchange(clients[i], "hello\n", "HELLO\n"), "%s", ways[i]);
	for (size_t i = 0; i < WAYS; i++)
		reload(&servers[i]);
	cr_assert_str_eq(who_goes_on(clients), "", "by%s a silent one stays", who_goes_on(clients));
	for (size_t i = 0; i < WAYS; i++)
		close(clients[i]);
}

/* To each client has arrived "set k half". */
static void
expect_rest_is_awaited(int clients[WAYS])
{
	poll(NULL, 0, 600);
	for (size_t i = 0; i < WAYS; i++)
		reload(&servers[i]);
	for (size_t i = 0; i < WAYS; i++)
		await_reload(&servers[i]);
	poll(NULL, 0, 2500);
	for (size_t i = 0; i < WAYS; i++) {
		cr_assert_not(is_told(clients[i]), "by %s it is cut off", ways[i]);
		cr_assert(
			client_exchange(clients[i], " more\n", "SET K HALF MORE\n"), "%s", ways[i]);
	}
	/* After the answer the connection is like any other. */
	cr_assert_str_eq(who_goes_on(clients), "");
	for (size_t i = 0; i < WAYS; i++)
		close(clients[i]);
}

Test(idle, half_a_request_has_until_the_deadline)
{
	int clients[WAYS];

	start_all("--drain-timeout=300", NULL);
	connect_all(clients);
	for (size_t i = 0; i < WAYS; i++) {
		cr_assert(client_exchange(clients[i], "first\n", "FIRST\n"), "%s", ways[i]);
		cr_assert(say(clients[i], "set k half"));
	}
	expect_rest_is_awaited(clients);
}

/* An answer does not answer what has arrived behind the request. */
Test(idle, half_a_request_behind_a_whole_one_has_until_the_deadline_too)
{
	int clients[WAYS];

	start_all("--drain-timeout=300", NULL);
	connect_all(clients);
	for (size_t i = 0; i < WAYS; i++)
		cr_assert(
			client_exchange(clients[i], "first\nset k half", "FIRST\n"), "%s", ways[i]);
	expect_rest_is_awaited(clients);
}

Test(idle, a_peer_that_only_sends_is_ended_at_the_deadline)
{
	int clients[WAYS], told = 0;
	int64_t began, end;

	start_all("--drain-timeout=3", NULL);
	connect_all(clients);
	for (size_t i = 0; i < WAYS; i++) {
		cr_assert(client_exchange(clients[i], "first\n", "FIRST\n"), "%s", ways[i]);
		cr_assert(say(clients[i], "more"));
	}
	began = clock_now();
	end = began + (int64_t)program_patience(60) * CLOCK_SECOND;
	for (size_t i = 0; i < WAYS; i++)
		reload(&servers[i]);
	while (told < (int)WAYS && clock_now() < end) {
		told = 0;
		for (size_t i = 0; i < WAYS; i++)
			if (is_told(clients[i]))
				told++;
			else
				say(clients[i], "x");
		cr_assert(told == 0 || clock_now() - began > 2 * CLOCK_SECOND, "too soon");
		poll(NULL, 0, 20);
	}
	cr_assert_eq(told, (int)WAYS);
	for (size_t i = 0; i < WAYS; i++)
		close(clients[i]);
}

static bool
has_accepted(void *unused)
{
	(void)unused;
	return server_number(&servers[0], "connections") == 1;
}

Test(idle, who_has_said_nothing_behind_a_proxy_has_until_the_deadline)
{
	static const unsigned char local[16] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x20, 0, 0, 0};
	int client;

	cr_assert(server_start(
		only, "waits", "1", "1", "--proxy-protocol=on", "--drain-timeout=300", NULL));
	client = client_connect(only->program.port);
	cr_assert_eq(send(client, local, sizeof local, 0), (ssize_t)sizeof local);
	cr_assert(wait_until(has_accepted, NULL, 10));
	poll(NULL, 0, 300);
	reload(only);
	await_reload(only);
	poll(NULL, 0, 2500);
	cr_assert_not(is_told(client), "the header is taken for an exchange");
	cr_assert(client_exchange(client, "at last\n", "AT LAST\n"));
	cr_assert(client_sees_end(client));
	close(client);
}

/* Whether the service, which is busy, has heard of the drain. */
static bool
is_draining(void *client)
{
	char answer[8] = "";

	return say(*(int *)client, "draining\n") &&
	       recv(*(int *)client, answer, sizeof answer - 1, 0) > 0 &&
	       strcmp(answer, "yes\n") == 0;
}

Test(idle, a_busy_service_is_drained_when_it_says_so)
{
	int client;

	cr_assert(server_start(only, "waits", "1", "1", "--drain-timeout=300", NULL));
	client = client_connect(only->program.port);
	cr_assert(client_exchange(client, "draining\n", "no\n"));
	cr_assert(client_exchange(client, "busy\n", "yes\n"));
	reload(only);
	await_reload(only);
	poll(NULL, 0, 2500);
	cr_assert_not(is_told(client));
	cr_assert(wait_until(is_draining, &client, 20));
	/* The service answers nothing, but says that nothing is left to do: not in the same tick of
	 * the kernel's clock as the last answer, which would hide what came after it. */
	poll(NULL, 0, 100);
	cr_assert(say(client, "done\n"));
	cr_assert(client_sees_end(client));
	close(client);
}

/* ---- through TLS ---- */

/* Starts a TLS client that sends what is written to *input. */
static void
start_tls_client(struct program *client, const char *name, int *input)
{
	char command[200], path[100];

	snprintf(path, sizeof path, "%s/%s", certificate.folder, name);
	cr_assert_eq(mkfifo(path, 0600), 0);
	*input = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_neq(*input, -1);
	snprintf(command, sizeof command, "exec openssl s_client -quiet -connect 127.0.0.1:%d <%s",
		only->program.port, path);
	cr_assert(program_start(client, (char *[]){"/bin/sh", "-c", command, NULL}, 0));
}

Test(idle, through_tls_the_same_holds)
{
	static struct program silent, half;
	int silent_input, half_input;

	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(only, "waits", "1", "1", "--drain-timeout=300",
		certificate.cert_option, certificate.key_option, NULL));
	start_tls_client(&silent, "silent", &silent_input);
	start_tls_client(&half, "half", &half_input);
	cr_assert_eq(write(half_input, "first\n", 6), 6);
	cr_assert(program_expect(&half, "FIRST", 10), "%s", half.text);
	cr_assert_eq(write(half_input, "half", 4), 4);
	poll(NULL, 0, 600);
	reload(only);
	await_reload(only);
	poll(NULL, 0, 2500);
	cr_assert_eq(write(half_input, "whole\n", 6), 6);
	cr_assert(program_expect(&half, "HALFWHOLE", 10), "%s", half.text);
	cr_assert_eq(write(silent_input, "at last\n", 8), 8);
	cr_assert(program_expect(&silent, "AT LAST", 10), "the handshake is taken for an exchange");
	program_end(&silent);
	program_end(&half);
	close(silent_input);
	close(half_input);
}
