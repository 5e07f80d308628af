/* The access log: a line for each connection, whatever has ended it. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certificate.h"
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

/* ---- TLS ---- */

/* Connects so many times by TLS, and does with each connection c what is said. */
static void
connect_by_tls(int times, const char *what)
{
	char command[512];

	snprintf(command, sizeof command,
		"python3 -c \"import ssl, socket\n"
		"context = ssl.create_default_context()\n"
		"context.check_hostname = False\n"
		"context.verify_mode = ssl.CERT_NONE\n"
		"for i in range(%d):\n"
		"    c = context.wrap_socket(socket.create_connection(('127.0.0.1', %d)))\n"
		"    %s\"",
		times, server.program.port, what);
	cr_assert_eq(system(command), 0);
}

static int
count_in_log(const char *text)
{
	int count = 0;

	for (const char *at = server.program.text; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

/* A peer ends TLS before TCP, and waits for the server's end. One that is refused may be gone
 * before the server has said so. */
Test(access_log, knows_the_ends_of_tls_and_whom_it_refused)
{
	struct certificate certificate = {0};
	char authority[sizeof certificate.file + 32];

	if (system("command -v python3 >/dev/null") != 0)
		cr_skip_test("needs python3");
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--access-log=on",
		certificate.cert_option, certificate.key_option, NULL));
	connect_by_tls(10, "c.sendall(b'hello'); c.recv(5); c.unwrap()");
	for (int tries = 0; tries < PATIENCE && count_in_log(" ended_by=peer ") < 10; tries++)
		program_expect(&server.program, "never said", 1);
	cr_expect_eq(count_in_log(" ended_by=peer "), 10, "%s", server.program.text);
	server_clean(&server);
	snprintf(authority, sizeof authority, "--tls-client-ca=%s", certificate.file);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--access-log=on",
		"--tls-client=require", authority, certificate.cert_option, certificate.key_option,
		NULL));
	connect_by_tls(10, "c.close()");
	for (int tries = 0; tries < PATIENCE && count_in_log(" ended_by=refused ") < 10; tries++)
		program_expect(&server.program, "never said", 1);
	cr_expect_eq(count_in_log(" ended_by=refused "), 10, "%s", server.program.text);
	certificate_clean(&certificate);
}

/* ---- a file of its own ---- */

static char path[96], moved[96];

/* How many lines of connections a file has. */
static int
lines_of(const char *name)
{
	FILE *stream = fopen(name, "r");
	char line[512];
	int count = 0;

	while (stream != NULL && fgets(line, sizeof line, stream) != NULL)
		count += strstr(line, ": connection listener=") != NULL &&
			 strchr(line, '\n') != NULL && line[0] == '2';
	if (stream != NULL)
		fclose(stream);
	return count;
}

/* Whether the two files have so many lines together; waits for that. */
static bool
come_to(int count)
{
	for (int tries = 0; tries < 2000; tries++) {
		if (lines_of(path) + lines_of(moved) == count)
			return true;
		usleep(10000);
	}
	return false;
}

static void
start_with_file(void)
{
	char option[128];

	cr_assert(server_make_folder(&server));
	snprintf(path, sizeof path, "%s/access.log", server.folder);
	snprintf(moved, sizeof moved, "%s/access.log.1", server.folder);
	snprintf(option, sizeof option, "--access-log=%s", path);
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", option, NULL));
}

static void
greet_often(int count)
{
	for (int i = 0; i < count; i++)
		close(greet());
}

/* Greets until a line has come to that file. */
static void
expect_lines_in(const char *name, int *greeted)
{
	for (int tries = 0; tries < 2000 && lines_of(name) == 0; tries++) {
		greet_often(1);
		++*greeted;
		usleep(10000);
	}
	cr_expect_gt(lines_of(name), 0);
	cr_expect(come_to(*greeted), "%d and %d of %d", lines_of(path), lines_of(moved), *greeted);
}

Test(access_log, in_a_file_is_rotated_by_a_rename_and_no_line_is_lost)
{
	int greeted = 20;

	start_with_file();
	greet_often(20);
	cr_assert(come_to(20));
	cr_assert_null(strstr(server.program.text, "connection listener="));
	cr_assert_eq(rename(path, moved), 0);
	kill(server.pid, SIGUSR1);
	expect_lines_in(path, &greeted);
	/* And by a reload. */
	cr_assert_eq(rename(path, moved), 0);
	greeted = lines_of(moved);
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	expect_lines_in(path, &greeted);
}

Test(access_log, in_a_file_is_rotated_by_a_copy_and_no_line_is_lost)
{
	int greeted = 20;

	start_with_file();
	greet_often(20);
	cr_assert(come_to(20));
	cr_assert_eq(truncate(path, 0), 0);
	greeted = 0;
	expect_lines_in(path, &greeted);
}

Test(access_log, in_a_file_survives_an_upgrade)
{
	int greeted = 20;
	pid_t before;

	start_with_file();
	greet_often(20);
	cr_assert(come_to(20));
	before = server.pid;
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	greet_often(20);
	cr_assert(come_to(40));
	cr_assert_eq(rename(path, moved), 0);
	server.pid = (pid_t)server_number(&server, "pid");
	cr_assert_neq(server.pid, before);
	kill(server.pid, SIGUSR1);
	greeted = 40;
	expect_lines_in(path, &greeted);
	kill(server.pid, SIGKILL);
}

Test(access_log, a_full_disk_costs_lines_and_no_client)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--access-log=/dev/full", NULL));
	greet_often(3);
	expect("cannot write to the access log: No space left on device");
	greet_often(1);
	cr_assert_gt(server_number(&server, "totals.log_lost"), 0);
	cr_assert_eq(server_end(&server, PATIENCE), 0);
}

Test(access_log, a_file_that_cannot_be_opened_refuses_a_reload)
{
	char output[1024], option[160], file[128];
	FILE *stream;

	cr_assert(server_make_folder(&server));
	snprintf(file, sizeof file, "%s/arguments", server.folder);
	stream = fopen(file, "w");
	fputs("--access-log=on\n", stream);
	fclose(stream);
	snprintf(option, sizeof option, "@%s", file);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option, NULL));
	stream = fopen(file, "w");
	fputs("--access-log=/no/such/folder\n", stream);
	fclose(stream);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 1);
	cr_expect_not_null(strstr(output, "cannot open '/no/such/folder'"), "%s", output);
	cr_assert(client_is_answered(client_connect(server.program.port), "hello", "HELLO"));
}

Test(access_log, knows_the_bytes_of_unix_sockets)
{
	char option[128];
	int client;

	cr_assert(server_make_folder(&server));
	snprintf(path, sizeof path, "%s/socket", server.folder);
	snprintf(option, sizeof option, "--listen=unix:%s", path);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--access-log=on", option, NULL));
	client = client_connect_path(path);
	cr_assert(client_exchange(client, "hello", "HELLO"));
	close(client);
	expect(" received=5 sent=5 seconds=");
}

Test(access_log, is_off_unless_it_is_asked_for)
{
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", NULL));
	cr_assert(client_is_answered(client_connect(server.program.port), "hello", "HELLO"));
	cr_assert_eq(server_end(&server, PATIENCE), 0);
	cr_expect_null(strstr(server.program.text, "connection listener="));
}
