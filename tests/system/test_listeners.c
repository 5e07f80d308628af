/* Listeners: Unix sockets, IPv4 and IPv6, datagrams, TLS, and proxies in front. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/folder.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"

static struct server server;
static struct loader loader;
static struct certificate certificate;
static char folder[FOLDER_SIZE];
static char option[4][FOLDER_SIZE + 64];

static void
end(void)
{
	loader_clean(&loader);
	server_clean(&server);
	certificate_clean(&certificate);
	folder_remove(folder);
}

TestSuite(listeners, .fini = end, .timeout = 600);

/* Formats an option into one of a few static buffers, by place. */
static char *__attribute__((format(printf, 2, 3))) write_option(int place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(option[place], sizeof option[place], format, arguments);
	va_end(arguments);
	return option[place];
}

/* ---- paths ---- */

Test(listeners, a_path)
{
	char path[FOLDER_SIZE + 16];
	struct program other;
	char *argv[] = {NULL, option[0], "--control=/dev/null/none", NULL};
	int fd;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/echo.sock", folder);
	cr_assert(server_start(&server, "hubbub-echo", "2", "2",
			  write_option(0, "--listen=unix:%s", path), NULL),
		"%s", server.program.text);
	fd = client_connect_path(path);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	/* A user who may enter the directory may connect. */
	cr_assert_eq(access(path, R_OK | W_OK), 0);
	cr_assert(loader_start(&loader, 0, "-R", "2000", "-d", "3", "--churn=20",
		write_option(1, "unix:%s", path), NULL));
	cr_assert(program_expect(&loader.program, "1.0", 10));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	cr_assert_eq(loader_wait(&loader, 30), 0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	/* A second server is told that the first one has the socket. */
	argv[0] = program_path("hubbub-echo");
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 1);
	cr_assert_not_null(strstr(other.text, "another hubbub server has it"), "%s", other.text);
	program_end(&other);
	/* At the end no client can queue any more, but queued ones are served. */
	cr_assert_eq(access(path, F_OK), 0);
	server_ctl(&server, "drain", NULL, NULL, 0);
	cr_assert_eq(access(path, F_OK), -1);
	close(fd);
}

Test(listeners, a_path_is_left_by_a_kill_and_taken_again)
{
	char path[FOLDER_SIZE + 16];
	int fd;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/echo.sock", folder);
	write_option(0, "--listen=unix:%s", path);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option[0], NULL));
	program_stop(&server.program, SIGKILL, 10);
	server_clean(&server);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", option[0], NULL), "%s",
		server.program.text);
	fd = client_connect_path(path);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
}

Test(listeners, a_path_that_somebody_removes_is_told_of)
{
	char path[FOLDER_SIZE + 16];
	static const char said[] = "is not this server's socket any more";

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/echo.sock", folder);
	cr_assert(server_start(
		&server, "hubbub-echo", "1", "1", write_option(0, "--listen=unix:%s", path), NULL));
	cr_assert_eq(unlink(path), 0);
	cr_assert(program_expect(&server.program, said, 20), "%s", server.program.text);
	/* The warning comes once, and again only when a reload changes it. */
	program_expect(&server.program, "never", 1.5);
	cr_assert_null(
		strstr(strstr(server.program.text, said) + 1, said), "%s", server.program.text);
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	program_expect(&server.program, "never", 0.2);
	cr_assert_not_null(
		strstr(strstr(server.program.text, said) + 1, said), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* A user who may not have the port cannot keep the server from it by locking names that the server
 * locks. */
Test(listeners, a_strangers_locks_keep_nobody_from_starting)
{
	static char squat[] = "import os, socket, sys, time\n"
			      "os.setuid(65534)\n"
			      "held = []\n"
			      "for name in sys.argv[1:]:\n"
			      "    held.append(socket.socket(socket.AF_UNIX))\n"
			      "    held[-1].bind('\\0hubbub-lock/' + name)\n"
			      "    held[-1].listen(1)\n"
			      "print('squats', flush=True)\n"
			      "time.sleep(600)\n";
	int port = server_lasting_port();
	char name[64], starting[64];
	char *argv[] = {"/usr/bin/python3", "-c", squat, name, starting, NULL};
	char *serve[] = {program_path("hubbub-echo"), option[0], "-p1", "-t1", NULL};
	struct program stranger, first, second;

	if (geteuid() != 0 || access(argv[0], X_OK) != 0)
		cr_skip("needs root and python3");
	snprintf(name, sizeof name, "127.0.0.1:%d", port);
	snprintf(starting, sizeof starting, "starting/%d", port);
	cr_assert(program_start(&stranger, argv, 0));
	cr_assert(program_expect(&stranger, "squats", 20), "%s", stranger.text);
	write_option(0, "--listen=127.0.0.1:%d", port);
	cr_assert(program_start(&first, serve, 0));
	cr_assert(program_expect(&first, ", pid ", 20), "%s", first.text);
	cr_assert_not_null(
		strstr(first.text, "of user 65534 holds the lock on 127.0.0.1"), "%s", first.text);
	cr_assert(program_start(&second, serve, 0));
	cr_assert_eq(program_wait(&second, 20), 1, "%s", second.text);
	cr_assert_not_null(strstr(second.text, "another hubbub server has it"), "%s", second.text);
	program_end(&second);
	cr_assert_eq(program_stop(&first, SIGTERM, 20), 0, "%s", first.text);
	program_end(&first);
	program_end(&stranger);
}

/* However its path is spelled, a Unix socket is one server's; and a server does not remove a path
 * that another has taken meanwhile. */
Test(listeners, a_path_has_one_owner)
{
	char path[FOLDER_SIZE + 16];
	struct program other;
	char *argv[] = {NULL, option[0], "--control=/dev/null/none", NULL};
	int fd;

	cr_assert(folder_make(folder));
	snprintf(path, sizeof path, "%s/echo.sock", folder);
	cr_assert(server_start(
		&server, "hubbub-echo", "1", "1", write_option(0, "--listen=unix:%s", path), NULL));
	argv[0] = program_path("hubbub-echo");
	write_option(0, "--listen=unix:%s/./echo.sock", folder);
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 1);
	program_end(&other);
	cr_assert_eq(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	cr_assert_eq(server_end(&server, 20), 0);
	cr_assert_eq(access(path, F_OK), 0);
}

Test(listeners, addresses_that_are_in_each_others_way)
{
	static const char *const wrong[][3] = {
		{"--listen=127.0.0.1:19090", "--agent=127.0.0.1:19090", "--agent and --listen"},
		{"--listen=:19090", "--admin=127.0.0.1:19090", "--admin and --listen"},
		{"--admin=127.0.0.1:19090", "--agent=127.0.0.1:19090", "--admin and --agent"},
		{"--listen=unix:/tmp/c", "--control=/tmp/c", "--control and --listen"},
		{"--listen=udp:127.0.0.1:0", "--proxy-protocol=on",
			"needs --listen for TCP or unix:"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char *argv[] = {program_path("hubbub-echo"), (char *)(uintptr_t)wrong[i][0],
			(char *)(uintptr_t)wrong[i][1], "--check", NULL};
		struct program other;

		cr_assert(program_start(&other, argv, 0));
		cr_assert_eq(program_wait(&other, 20), 2, "%s", wrong[i][2]);
		cr_assert_not_null(strstr(other.text, wrong[i][2]), "%s", other.text);
		program_end(&other);
	}
}

/* ---- both families ---- */

static bool
has_v6(void)
{
	struct sockaddr_in6 loopback = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd != -1 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;

	close(fd);
	return has;
}

Test(listeners, one_address_for_both_families)
{
	if (!has_v6())
		cr_skip_test("this machine has no IPv6");
	cr_assert(server_start(
		&server, "hubbub-echo", "2", "1", "--listen=:0", "--listen=udp::0", NULL));
	for (int family = 0; family < 2; family++) {
		const char *host = family == 0 ? "127.0.0.1" : "[::1]";

		cr_assert_eq(
			loader_run(&loader, 0, "-n", "2000", "-c", "8",
				write_option(0, "%s:%d", host, server_port(&server, ", :")), NULL),
			0, "%s", loader.program.text);
		cr_assert_eq(
			loader_run(&loader, 0, "-n", "2000", "-c", "8",
				write_option(0, "udp:%s:%d", host, server_port(&server, "udp::")),
				NULL),
			0, "%s", loader.program.text);
		cr_assert_eq(loader_number(&loader, "load.messages"), 2000);
	}
}

/* ---- datagrams ---- */

static int load_tls(const char *more);

Test(listeners, datagrams_are_answered_through_every_change)
{
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--listen=udp:127.0.0.1:0", NULL));
	write_option(0, "udp:127.0.0.1:%d", server_port(&server, "udp:127.0.0.1:"));
	cr_assert(loader_start(&loader, 0, "-R", "3000", "-d", "6", "--size=24-1400",
		"--timeout=2s", option[0], NULL));
	cr_assert(program_expect(&loader.program, "1.0", 10));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "scale", "3x1", NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "scale", "1x2", NULL, 0), 0);
	cr_assert_eq(loader_wait(&loader, 30), 0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "load.lost"), 0);
	cr_assert_geq(server_number(&server, "totals.replies"), 18000);
	cr_assert_eq(server_number(&server, "totals.replies"),
		server_number(&server, "totals.datagrams"));
}

/* Returns how many hubs have received datagrams. */
static int
hubs_with_datagrams(void)
{
	int code, hubs = 0;
	char *metrics = server_get(&server, "/metrics", &code), *at = metrics;
	const char name[] = "\nhubbub_datagrams_total{";

	while (at != NULL && (at = strstr(at, name)) != NULL) {
		at = strchr(at + 1, '}');
		hubs += atof(at + 1) > 0;
	}
	free(metrics);
	return hubs;
}

Test(listeners, a_peers_datagrams_stay_on_a_hub)
{
	char big[60000], reply[65536];
	int port, fd;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	fd = client_connect_udp(port);
	for (int i = 0; i < 100; i++)
		cr_assert(client_exchange(fd, "hello", "HELLO"));
	cr_assert_eq(hubs_with_datagrams(), 1);
	/* An empty datagram is answered, too, and one of the largest size. */
	cr_assert_eq(send(fd, "", 0, 0), 0);
	cr_assert_eq(recv(fd, reply, sizeof reply, 0), 0);
	memset(big, 'x', sizeof big);
	cr_assert_eq(send(fd, big, sizeof big, 0), (ssize_t)sizeof big);
	cr_assert_eq(recv(fd, reply, sizeof reply, 0), (ssize_t)sizeof big);
	cr_assert_eq(reply[59999], 'X');
	close(fd);
	for (int i = 0; i < 64; i++) {
		fd = client_connect_udp(port);
		cr_assert(client_exchange(fd, "hello", "HELLO"));
		close(fd);
	}
	cr_assert_eq(hubs_with_datagrams(), 4);
}

/* A reply is counted after it was sent. */
static bool
one_of_two_is_answered(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.datagrams") == 2 &&
	       server_number(&server, "totals.replies") == 1;
}

/* A datagram with the service's own address as its sender is not answered: that would never end. */
Test(listeners, datagrams_of_its_own_are_not_answered)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	int port, fd;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own.sin_port = htons((in_port_t)port);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	cr_assert_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(sendto(fd, "hello", 5, 0, (struct sockaddr *)&own, sizeof own), 5);
	close(fd);
	fd = client_connect_udp(port);
	cr_assert(client_exchange(fd, "hello", "HELLO"));
	close(fd);
	cr_assert(wait_until(one_of_two_is_answered, NULL, 10));
}

static bool
one_has_ended(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.closed") == 1;
}

/* A client that connects and sends nothing is ended by the idle timeout, and does not hold up the
 * others. */
Test(listeners, tls_ends_handshakes_that_do_not_begin)
{
	int fd;

	cr_assert(certificate_make(&certificate));
	/* The timeout is long enough that the load's own connections are not idle on a slow machine
	 * either. */
	cr_assert(server_start(&server, "hubbub-echo", "1", "1",
		program_is_sanitized() ? "--idle-timeout=10" : "--idle-timeout=2",
		write_option(0, "--tls-cert=%s", certificate.file),
		write_option(1, "--tls-key=%s", certificate.key), NULL));
	fd = client_connect(server.program.port);
	cr_assert(wait_until(one_has_ended, NULL, 30));
	cr_assert_eq(load_tls("-n100"), 0, "%s", loader.program.text);
	cr_assert_eq(server_number(&server, "totals.hangs"), 0);
	close(fd);
}

Test(listeners, a_dead_hubs_datagrams_go_elsewhere)
{
	int port, fd, answered = 0;

	cr_assert(server_start(&server, "hubbub-echo", "2", "1", "--listen=udp:127.0.0.1:0", NULL));
	port = server_port(&server, "udp:127.0.0.1:");
	for (int round = 0; round < 4; round++) {
		server_signal_worker(&server, (unsigned)round % 2, SIGKILL);
		for (int i = 0; i < 32; i++) {
			fd = client_connect_udp(port);
			answered += client_exchange(fd, "hello", "HELLO");
			close(fd);
		}
	}
	/* Queued clients wait for the new worker. */
	cr_assert_eq(answered, 128);
}

Test(listeners, a_service_without_an_answer_refuses_datagrams)
{
	struct program other;
	char *argv[] = {program_path("naughty"), "--listen=udp:127.0.0.1:0", NULL};

	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "does not answer datagrams"), "%s", other.text);
	program_end(&other);
}

/* ---- TLS ---- */

static void
start_tls(const char *name)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, name, "2", "2",
			  write_option(0, "--tls-cert=%s", certificate.file),
			  write_option(1, "--tls-key=%s", certificate.key), NULL),
		"%s", server.program.text);
}

/* Loads the server over TLS, trusting the certificate that is there now. */
static int
load_tls(const char *more)
{
	return loader_run(&loader, server.program.port, "--tls",
		write_option(2, "--tls-ca=%s", certificate.file), "-c", "16", more, NULL);
}

Test(listeners, tls)
{
	start_tls("hubbub-echo");
	cr_assert_eq(load_tls("-n5000"), 0, "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", option[2], "-n", "2000",
			     "--size=1-200Ki", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls",
			     write_option(2, "--tls-ca=%s", certificate.file), "-n", "1000",
			     "--churn=5", "--close=half", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	/* hubbub-load does not trust a certificate that the system does not trust. */
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", "-n", "10", NULL), 1);
	cr_assert_not_null(strstr(loader.program.text, "certificate is not trusted"), "%s",
		loader.program.text);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", "--tls-insecure", "-n", "10",
			     NULL),
		0, "%s", loader.program.text);
	/* A client without TLS is refused, and counted. */
	cr_assert_neq(loader_run(&loader, server.program.port, "-n", "10", "-c", "1", NULL), 0);
	cr_assert_gt(server_number(&server, "totals.refused"), 0);
	cr_assert(program_expect(&server.program, "refused a client at 127.0.0.1", 5));
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(listeners, tls_certificates_are_read_again)
{
	char output[1024];
	FILE *file;

	start_tls("hubbub-echo");
	cr_assert(loader_start(&loader, server.program.port, "--tls", "--tls-insecure", "-R", "500",
		"-d", "4", "-c", "8", "--churn=50", NULL));
	cr_assert(program_expect(&loader.program, "1.0", 10));
	cr_assert(certificate_make(&certificate));
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s", output);
	cr_assert_eq(loader_wait(&loader, 30), 0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	cr_assert_eq(load_tls("-n100"), 0, "the new one is used: %s", loader.program.text);
	/* A key that is none changes nothing. */
	file = fopen(certificate.key, "w");
	cr_assert_not_null(file);
	fputs("no key\n", file);
	fclose(file);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 1);
	cr_assert_not_null(strstr(output, "no private key"), "%s", output);
	cr_assert_eq(load_tls("-n100"), 0, "%s", loader.program.text);
	cr_assert_eq(server_number(&server, "totals.reloads"), 1);
}

Test(listeners, tls_drains_without_a_loss)
{
	start_tls("hubbub-echo");
	cr_assert(loader_start(&loader, server.program.port, "--tls", "--tls-insecure", "-R",
		"1000", "-d", "5", "-c", "20", NULL));
	cr_assert(program_expect(&loader.program, "1.0", 10));
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	cr_assert_eq(loader_wait(&loader, 40), 0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "load.lost"), 0);
}

Test(listeners, tls_files_that_are_none)
{
	struct program other;
	char *argv[] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0", "--tls-cert=/dev/null",
		"--tls-key=/dev/null", "--check", NULL};

	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "/dev/null has no certificate"), "%s", other.text);
	program_end(&other);
	argv[3] = "--check";
	argv[4] = NULL;
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "needs --tls-key"), "%s", other.text);
	program_end(&other);
}

/* ---- proxies ---- */

#define V4_HEADER "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x1f\x90\0\x50"
#define LOCAL_HEADER "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

/* Sends these bytes, and returns the answer's first line; "" for an end or a reset. */
static const char *
told(const char *bytes, size_t length)
{
	static char line[128];
	int fd = client_connect(server.program.port);
	size_t got = 0;
	ssize_t received;

	send(fd, bytes, length, MSG_NOSIGNAL);
	while (got < sizeof line - 1 &&
		(received = recv(fd, line + got, sizeof line - 1 - got, 0)) > 0)
		got += (size_t)received;
	line[got] = '\0';
	close(fd);
	return line;
}

Test(listeners, a_proxy_names_the_client)
{
	char expected[64];
	int fd;

	cr_assert(server_start(&server, "example-peer", "1", "2", "--proxy-protocol=on", NULL));
	cr_assert_str_eq(told(V4_HEADER, 28), "192.0.2.7 port 8080\n");
	/* The header may come in any pieces. */
	fd = client_connect(server.program.port);
	for (int i = 0; i < 28; i++) {
		send(fd, V4_HEADER + i, 1, MSG_NOSIGNAL);
		poll(NULL, 0, 1);
	}
	cr_assert(client_exchange(fd, "", "192.0.2.7 port 8080\n"));
	close(fd);
	/* For a connection of the proxy's own, the peer is the proxy. */
	snprintf(expected, sizeof expected, "127.0.0.1 port ");
	cr_assert_eq(strncmp(told(LOCAL_HEADER, 16), expected, strlen(expected)), 0);
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	cr_assert_str_eq(told("GET / HTTP/1.0\r\n\r\n", 18), "");
	cr_assert_str_eq(told("PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n", 40), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 2);
	cr_assert(program_expect(&server.program, "does not begin with a PROXY header", 5), "%s",
		server.program.text);
}

Test(listeners, a_stranger_is_no_proxy)
{
	cr_assert(server_start(&server, "example-peer", "1", "1", "--proxy-protocol=on",
		"--proxy-from=10.0.0.0/8", "--proxy-from=2001:db8::/32", NULL));
	cr_assert_str_eq(told(V4_HEADER, 28), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 1);
	cr_assert(program_expect(&server.program, "in no network of --proxy-from", 5));
}

Test(listeners, a_proxy_before_tls)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "example-peer", "1", "1", "--proxy-protocol=on",
		write_option(0, "--tls-cert=%s", certificate.file),
		write_option(1, "--tls-key=%s", certificate.key), NULL));
	/* The wait for a missing header ends. */
	cr_assert_str_eq(told("\x16\x03\x01\0\x05hello_no_header", 20), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 1);
}
