/* Named listeners (--listen=NAME=ADDRESS): each is served by its own function, and its connections
 * know its name, through changes, deaths of workers, hand-offs between hubs, TLS and PROXY headers.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/system/changing.h"

#define AT_ONCE 40 /* connections: more than a hub takes without handing some on */

static struct certificate certificate;
static char path[FOLDER_SIZE + 16]; /* of the Unix socket of the listener "admin" */
static char wish[FOLDER_SIZE + 64]; /* its --listen */

static void
begin(void)
{
	changing_begin();
	snprintf(path, sizeof path, "%s/admin=1", folder);
	snprintf(wish, sizeof wish, "--listen=admin=unix:%s", path);
}

static void
end(void)
{
	certificate_clean(&certificate);
	changing_end();
}

TestSuite(named, .init = begin, .fini = end, .timeout = 600);

/* What a new connection, which this closes, is told after it has sent a text. */
static const char *
told(int client, const char *text)
{
	static char line[64];
	ssize_t got;

	send(client, text, strlen(text), MSG_NOSIGNAL);
	got = recv(client, line, sizeof line - 1, 0);
	line[got > 0 ? got : 0] = '\0';
	close(client);
	return line;
}

static void
each_has_its_function(void)
{
	cr_assert_str_eq(told(client_connect(server.program.port), ""), "main \n");
	cr_assert_str_eq(told(client_connect_path(path), ""), "admin admin\n");
	cr_assert_str_eq(
		told(client_connect(server_port(&server, "both=127.0.0.1:")), ""), "both both\n");
	cr_assert(client_is_answered(
		client_connect_udp(server_port(&server, "both=udp:127.0.0.1:")), "x", "both"));
	cr_assert(client_is_answered(
		client_connect_udp(server_port(&server, ", udp:127.0.0.1:")), "x", "main"));
}

/* The file of arguments is read by the reload and by the upgrade. */
Test(named, each_has_its_function_through_changes_and_kills)
{
	char text[256];
	pid_t master;

	snprintf(text, sizeof text,
		"%s\n--listen=both=127.0.0.1:0\n--listen=both=udp:127.0.0.1:0\n"
		"--listen=udp:127.0.0.1:0\n",
		wish);
	changing_write(text);
	cr_assert(server_start(&server, "named", "2", "2", argument, NULL), "%s",
		server.program.text);
	master = server.pid;
	each_has_its_function();
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	each_has_its_function();
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_neq(server.pid, master);
	each_has_its_function();
	server_signal_worker(&server, 0, SIGKILL);
	server_signal_worker(&server, 1, SIGKILL);
	each_has_its_function();
	cr_assert_eq(changing_ctl("status"), 0, "%s", output);
	cr_assert_not_null(strstr(output, "both=udp:127.0.0.1:"), "%s", output);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* Clients that are all queued when the worker's hubs go on. */
static void
burst(pid_t worker)
{
	int clients[AT_ONCE];

	kill(worker, SIGSTOP);
	for (int i = 0; i < AT_ONCE; i++)
		clients[i] = client_connect_path(path);
	kill(worker, SIGCONT);
	for (int i = 0; i < AT_ONCE; i++) {
		cr_assert(client_exchange(clients[i], "", "admin admin\n"), "%d", i);
		cr_assert(client_exchange(clients[i], "still", "still"), "%d", i);
	}
	for (int i = 0; i < AT_ONCE; i++)
		close(clients[i]);
}

/* A Unix socket's queue belongs to all hubs: the hub that is awake first takes many clients, and
 * hands some on. */
Test(named, connections_that_another_hub_serves_keep_their_listener)
{
	cr_assert(server_start(&server, "named", "1", "4", "--balance=hash", wish, NULL), "%s",
		server.program.text);
	for (int tries = 0; tries < 20 && server_number(&server, "totals.handed") == 0; tries++)
		burst(server_worker(&server, 0));
	cr_assert_gt(server_number(&server, "totals.handed"), 0);
	cr_assert_str_eq(told(client_connect(server.program.port), ""), "main \n");
	cr_assert_eq(server_end(&server, 40), 0);
}

/* The sibling serves them as clients of that listener. */
Test(named, clients_in_a_dead_workers_queue_keep_their_listener)
{
	int clients[AT_ONCE], port;

	cr_assert(server_start(&server, "named", "2", "1", "--listen=both=127.0.0.1:0", NULL), "%s",
		server.program.text);
	port = server_port(&server, "both=127.0.0.1:");
	server_signal_worker(&server, 0, SIGSTOP);
	for (int i = 0; i < AT_ONCE; i++)
		clients[i] = client_connect(port);
	server_signal_worker(&server, 0, SIGKILL);
	for (int i = 0; i < AT_ONCE; i++)
		cr_assert_str_eq(told(clients[i], ""), "both both\n");
	cr_assert_eq(server_end(&server, 40), 0);
}

/* In a drain without a successor queued clients are served before the listener is closed. */
Test(named, clients_in_a_queue_that_drains_keep_their_listener)
{
	int first, second;

	cr_assert(server_start(&server, "named", "1", "1", "--max-connections=1", wish, NULL), "%s",
		server.program.text);
	first = client_connect_path(path);
	cr_assert(client_exchange(first, "", "admin admin\n"));
	cr_assert(client_exchange(first, "x", "x"));
	second = client_connect_path(path);
	kill(server.pid, SIGTERM);
	cr_assert(program_expect(&server.program, "stopping: 1 connection", 10), "%s",
		server.program.text);
	close(first);
	cr_assert_str_eq(told(second, ""), "admin admin\n");
	cr_assert_eq(program_wait(&server.program, 40), 0);
}

Test(named, behind_a_proxy_they_keep_their_listener)
{
	cr_assert(server_start(&server, "named", "1", "1", "--proxy-protocol=on", wish, NULL), "%s",
		server.program.text);
	cr_assert_str_eq(
		told(client_connect_path(path), "PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n"),
		"admin admin\n");
	cr_assert_str_eq(told(client_connect(server.program.port),
				 "PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n"),
		"main \n");
	cr_assert_str_eq(told(client_connect_path(path), "x\r\n"), "");
	cr_assert_eq(server_end(&server, 40), 0);
}

static bool
one_is_refused(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.refused") == 1;
}

/* TLS is by kind of address, not by name. */
Test(named, those_of_tcp_are_encrypted_with_all_others)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "named", "1", "1", certificate.cert_option,
			  certificate.key_option, wish, "--listen=both=127.0.0.1:0", NULL),
		"%s", server.program.text);
	cr_assert_str_eq(told(client_connect_path(path), ""), "admin admin\n");
	cr_assert_str_neq(
		told(client_connect(server_port(&server, "both=127.0.0.1:")), "plain\r\n"),
		"both both\n");
	cr_assert(wait_until(one_is_refused, NULL, 20));
	cr_assert_eq(server_end(&server, 40), 0);
}

static const struct {
	const char *arguments, *command, *why;
} others[] = {
	{"--listen=both=127.0.0.1:0\n", "reload",
		"--listen cannot change by a reload; restart the server"},
	{"--listen=both=127.0.0.1:0\n", "upgrade", "exited with code 1"},
	{"--listen=none=127.0.0.1:0\n", "upgrade", "exited with code 2"},
};

Test(named, another_name_for_an_address_is_refused_and_all_is_as_it_was)
{
	changing_write("--listen=admin=127.0.0.1:0\n");
	cr_assert(server_start(&server, "named", "1", "1", argument, NULL), "%s",
		server.program.text);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		changing_write(others[i].arguments);
		cr_assert_eq(changing_ctl(others[i].command), 1, "%zu: %s", i, output);
		cr_assert_not_null(strstr(output, others[i].why), "%zu: %s", i, output);
		cr_assert_str_eq(told(client_connect(server_port(&server, "admin=127.0.0.1:")), ""),
			"admin admin\n");
	}
	cr_assert_eq(server_end(&server, 40), 0);
}

Test(named, a_name_that_the_service_does_not_have_is_refused_with_those_it_has)
{
	static char listen[] = "--listen=none=127.0.0.1:0";
	char *argv[] = {program_path("named"), listen, NULL};
	struct program other;

	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2, "%s", other.text);
	cr_assert_not_null(strstr(other.text, "it has admin, both"), "%s", other.text);
	program_end(&other);
}

/* ---- what is counted of each ---- */

/* A number of a listener, by the listener's place in the state. */
static long
counted(unsigned listener, const char *what)
{
	json_t *state = server_stats(&server);
	const json_t *each = json_array_get(json_object_get(state, "listeners"), listener);
	long number = (long)json_integer_value(json_object_get(each, what));

	json_decref(state);
	return number;
}

/* In order: those without a name, "admin", "both". */
enum { UNNAMED, ADMIN, BOTH };

static bool
has_none_open(void *context)
{
	(void)context;
	return counted(UNNAMED, "connections") == 0 && counted(ADMIN, "connections") == 0;
}

static bool
has_one_of_both(void *context)
{
	(void)context;
	return counted(BOTH, "connections") == 1;
}

/* One more connection of the first two, and a datagram of the last; so many have been before. */
static void
use_each(long before)
{
	char line[80], *metrics;
	int code;

	cr_assert_str_eq(told(client_connect(server.program.port), ""), "main \n");
	cr_assert_str_eq(told(client_connect_path(path), ""), "admin admin\n");
	cr_assert(client_is_answered(
		client_connect_udp(server_port(&server, "both=udp:127.0.0.1:")), "x", "both"));
	cr_assert(wait_until(has_none_open, NULL, 60));
	cr_assert_eq(counted(UNNAMED, "accepts"), before + 1);
	cr_assert_eq(counted(ADMIN, "accepts"), before + 1);
	cr_assert_eq(counted(BOTH, "accepts"), 0);
	cr_assert_eq(counted(BOTH, "datagrams"), before + 1);
	cr_assert_eq(server_number(&server, "totals.accepts"), 2 * (before + 1));
	snprintf(line, sizeof line, "hubbub_listener_accepts_total{listener=\"admin\"} %ld\n",
		before + 1);
	metrics = server_get(&server, "/metrics", &code);
	cr_assert_not_null(strstr(metrics, line), "%s", metrics);
	free(metrics);
}

Test(named, counts_of_each_listener_go_on_through_changes_and_kills)
{
	char text[256];

	snprintf(text, sizeof text, "%s\n--listen=both=udp:127.0.0.1:0\n", wish);
	changing_write(text);
	cr_assert(server_start(&server, "named", "2", "2", argument, NULL), "%s",
		server.program.text);
	use_each(0);
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	use_each(1);
	server_signal_worker(&server, 0, SIGKILL);
	server_signal_worker(&server, 1, SIGKILL);
	use_each(2);
	cr_assert_eq(changing_ctl("upgrade"), 0, "%s", output);
	server.pid = (pid_t)server_number(&server, "pid");
	use_each(3);
	cr_assert_eq(changing_ctl("status"), 0, "%s", output);
	cr_assert_not_null(strstr(output, "\nLISTENER "), "%s", output);
	cr_assert_eq(server_end(&server, 40), 0);
}

/* A connection that dies with its worker is open no more; and is told of where it is refused. */
Test(named, counts_of_a_listener_are_of_its_own_connections)
{
	int first, second, port;

	cr_assert(server_start(&server, "named", "1", "1", "--max-per-peer=1",
			  "--listen=both=127.0.0.1:0", NULL),
		"%s", server.program.text);
	port = server_port(&server, "both=127.0.0.1:");
	first = client_connect(port);
	cr_assert(client_exchange(first, "", "both both\n"));
	second = client_connect(port);
	cr_assert(client_sees_end(second));
	cr_assert_eq(counted(BOTH, "accepts"), 2);
	cr_assert(wait_until(has_one_of_both, NULL, 60));
	cr_assert_eq(counted(BOTH, "refused"), 1);
	cr_assert_eq(counted(UNNAMED, "refused"), 0);
	server_signal_worker(&server, 0, SIGKILL);
	cr_assert(client_sees_end(first));
	cr_assert_str_eq(told(client_connect(server.program.port), ""), "main \n");
	cr_assert_eq(counted(BOTH, "connections"), 0);
	cr_assert_eq(counted(BOTH, "refused"), 1);
	close(first);
	close(second);
	cr_assert_eq(server_end(&server, 40), 0);
}
