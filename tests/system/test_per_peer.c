/* Limits of connections per peer (--max-per-peer, --max-new-per-peer): they hold over all workers,
 * hubs and generations, and nothing that dies keeps a peer out. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"
#include "tests/system/changing.h"

#define MOST 12 /* --max-per-peer */
#define LIMIT "--max-per-peer=12"
#define TRIED 30

TestSuite(per_peer, .init = changing_begin, .fini = changing_end, .timeout = 600);

/* The clients of a peer, 127.0.0.x; -1 for one that is not served. */
struct peer {
	int clients[TRIED];
	unsigned count; /* of those that are served */
};

static int
connect_from(unsigned host, int port)
{
	struct sockaddr_in own = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK - 1 + host)}};
	struct sockaddr_in server_at = {.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct timeval patience = {(time_t)program_patience(20), 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	cr_assert_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&server_at, sizeof server_at), 0);
	return fd;
}

/* Whether a client gets its answer; else it was closed at once, perhaps with a reset, since it has
 * sent something. */
static bool
is_served(int client)
{
	char byte;

	send(client, "x", 1, MSG_NOSIGNAL);
	return recv(client, &byte, 1, 0) == 1;
}

/* Opens TRIED connections at once. */
static void
come(struct peer *peer, unsigned host)
{
	peer->count = 0;
	for (int i = 0; i < TRIED; i++)
		peer->clients[i] = connect_from(host, server.program.port);
	for (int i = 0; i < TRIED; i++) {
		if (is_served(peer->clients[i])) {
			peer->count++;
			continue;
		}
		close(peer->clients[i]);
		peer->clients[i] = -1;
	}
}

static void
go(struct peer *peer)
{
	for (int i = 0; i < TRIED; i++)
		if (peer->clients[i] != -1)
			close(peer->clients[i]);
}

/* Whether the server has that many connections. */
static bool
has_open(void *count)
{
	return server_number(&server, "connections") == *(long *)count;
}

static void
wait_open(long count)
{
	cr_assert(wait_until(has_open, &count, 20), "%ld", server_number(&server, "connections"));
}

/* Of two that come for the last place at the same instant both may be refused: then there is room
 * for one that comes alone. */
static void
fill_up(struct peer *peer, unsigned host)
{
	cr_assert_leq(peer->count, MOST);
	for (int i = 0; i < TRIED && peer->count < MOST; i++) {
		if (peer->clients[i] != -1)
			continue;
		peer->clients[i] = connect_from(host, server.program.port);
		cr_assert(is_served(peer->clients[i]), "%u are served", peer->count);
		peer->count++;
	}
}

static bool
may_come(unsigned host)
{
	int client = connect_from(host, server.program.port);
	bool is = is_served(client);

	close(client);
	return is;
}

Test(per_peer, one_that_has_too_many_keeps_nobody_else_out)
{
	struct peer one, other;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", LIMIT, NULL), "%s",
		server.program.text);
	come(&one, 1);
	fill_up(&one, 1);
	cr_assert_not(may_come(1));
	cr_assert_geq(server_number(&server, "totals.refused"), TRIED - MOST);
	cr_assert(
		program_expect(&server.program, "has 12 connections already (--max-per-peer)", 10),
		"%s", server.program.text);
	come(&other, 2);
	fill_up(&other, 2);
	wait_open(2 * MOST);
	/* A place is free again as soon as its client sees the end. */
	go(&other);
	wait_open(MOST);
	come(&other, 2);
	fill_up(&other, 2);
	cr_assert_not(may_come(1));
	go(&one);
	go(&other);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* It keeps neither a file nor a coroutine: the server has closed its socket when the client sees
 * the end, so the kernel resets what comes later. */
Test(per_peer, one_too_many_is_closed_at_once)
{
	int first, second;
	char byte;

	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--max-per-peer=1", NULL), "%s",
		server.program.text);
	first = connect_from(1, server.program.port);
	cr_assert(is_served(first));
	second = connect_from(1, server.program.port);
	cr_assert_eq(recv(second, &byte, 1, 0), 0);
	cr_assert_eq(send(second, "x", 1, MSG_NOSIGNAL), 1);
	cr_assert_eq(send(second, "x", 1, MSG_NOSIGNAL), -1);
	cr_assert(is_served(first));
	close(first);
	close(second);
}

/* An echo service ends a connection when its client does. */
Test(per_peer, who_has_seen_the_end_may_come_again_at_once)
{
	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--max-per-peer=1", NULL), "%s",
		server.program.text);
	for (int i = 0; i < 200; i++) {
		int client = connect_from(1, server.program.port);
		char byte;

		cr_assert(is_served(client), "%d", i);
		shutdown(client, SHUT_WR);
		cr_assert_eq(recv(client, &byte, 1, 0), 0);
		close(client);
	}
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	cr_assert_eq(server_end(&server, 20), 0);
}

Test(per_peer, what_a_killed_worker_had_is_given_back)
{
	struct peer one;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", LIMIT, NULL), "%s",
		server.program.text);
	for (int round = 0; round < 3; round++) {
		come(&one, 1);
		fill_up(&one, 1);
		cr_assert_not(may_come(1));
		server_signal_worker(&server, 0, SIGKILL);
		server_signal_worker(&server, 1, SIGKILL);
		go(&one);
		wait_open(0);
	}
	come(&one, 1);
	fill_up(&one, 1);
	cr_assert_not(may_come(1));
	go(&one);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Connections that drain count, in whichever generation, and of whichever master. */
Test(per_peer, the_limit_holds_through_reloads_and_upgrades)
{
	static const char *const commands[] = {"reload", "upgrade", "reload"};
	struct peer one;

	cr_assert(
		server_start(&server, "hubbub-echo", "2", "2", LIMIT, "--drain-timeout=300", NULL),
		"%s", server.program.text);
	come(&one, 1);
	fill_up(&one, 1);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		struct peer next;

		cr_assert_eq(changing_ctl(commands[i]), 0, "%s: %s", commands[i], output);
		server.pid = (pid_t)server_number(&server, "pid");
		come(&next, 1);
		/* Those of the former generation end only one after the other. */
		cr_assert_lt(next.count, MOST, "%s", commands[i]);
		go(&one);
		wait_open(next.count);
		one = next;
		fill_up(&one, 1);
		cr_assert_not(may_come(1), "%s", commands[i]);
	}
	go(&one);
	cr_assert_eq(server_end(&server, 60), 0);
}

Test(per_peer, a_reload_sets_the_limit_changes_and_drops_it)
{
	struct peer one;

	changing_write("");
	cr_assert(server_start(&server, "hubbub-echo", "2", "1", argument, NULL), "%s",
		server.program.text);
	come(&one, 1);
	cr_assert_eq(one.count, TRIED);
	go(&one);
	wait_open(0);
	changing_write(LIMIT "\n");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	come(&one, 1);
	fill_up(&one, 1);
	cr_assert_not(may_come(1));
	go(&one);
	changing_write("--max-per-peer=0\n");
	cr_assert_eq(changing_ctl("reload"), 0, "%s", output);
	come(&one, 1);
	cr_assert_eq(one.count, TRIED);
	go(&one);
	cr_assert_eq(server_end(&server, 20), 0);
}

/* Behind a proxy, whose address is always the same, its clients count. */
Test(per_peer, the_address_that_a_proxy_names_counts)
{
	static const char *const clients[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};

	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--max-per-peer=1",
			  "--proxy-protocol=on", NULL),
		"%s", server.program.text);
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
		int first = connect_from(1, server.program.port);
		int second = connect_from(2, server.program.port);
		char header[128];
		bool is_v6 = strchr(clients[i], ':') != NULL;
		int length = snprintf(header, sizeof header, "PROXY TCP%s %s %s 8080 80\r\n",
			is_v6 ? "6" : "4", clients[i], is_v6 ? "2001:db8::2" : "192.0.2.9");

		send(first, header, (size_t)length, MSG_NOSIGNAL);
		cr_assert(is_served(first), "%s", clients[i]);
		send(second, header, (size_t)length, MSG_NOSIGNAL);
		cr_assert_not(is_served(second), "%s", clients[i]);
		close(second);
	}
	cr_assert_eq(server_number(&server, "totals.refused"), 3);
}

Test(per_peer, unix_sockets_have_no_peers)
{
	char path[FOLDER_SIZE + 16], listen[FOLDER_SIZE + 48];

	snprintf(path, sizeof path, "%s/echo", folder);
	snprintf(listen, sizeof listen, "--listen=unix:%s", path);
	cr_assert(server_start(&server, "hubbub-echo", "1", "1", "--max-per-peer=1", listen, NULL),
		"%s", server.program.text);
	for (int i = 0; i < 5; i++)
		cr_assert(is_served(client_connect_path(path)));
}

static bool
may_come_again(void *unused)
{
	(void)unused;
	return may_come(1);
}

/* Wherever a second of the clock begins, five come within one, and ten within two. */
Test(per_peer, new_ones_are_limited_within_a_second)
{
	struct peer one, other;
	int64_t began, seconds;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--max-new-per-peer=5", NULL),
		"%s", server.program.text);
	began = clock_now();
	come(&one, 1);
	seconds = clock_now() / CLOCK_SECOND - began / CLOCK_SECOND + 1;
	cr_assert_geq(one.count, 3, "two hubs may both refuse the last");
	cr_assert_leq(one.count, 5 * seconds);
	come(&other, 2);
	cr_assert_geq(other.count, 3);
	cr_assert(program_expect(&server.program,
			  "has opened 5 connections within a second (--max-new-per-peer)", 10),
		"%s", server.program.text);
	cr_assert(wait_until(may_come_again, NULL, 20));
	cr_assert(may_come(3));
	go(&one);
	go(&other);
}

/* The limit takes no permits: hubs get connections as they do without it. */
Test(per_peer, a_limit_leaves_the_load_even)
{
	int clients[80];
	long most = 0;

	cr_assert(server_start(&server, "hubbub-echo", "2", "2", "--max-per-peer=40",
			  "--max-connections=200", NULL),
		"%s", server.program.text);
	for (unsigned i = 0; i < 80; i++) {
		clients[i] = connect_from(1 + i % 2, server.program.port);
		cr_assert(is_served(clients[i]), "%u", i);
	}
	/* A flood of refused ones. */
	for (unsigned i = 0; i < 200; i++)
		cr_assert_not(may_come(1 + i % 2));
	for (unsigned i = 0; i < 4; i++) {
		long open = server_hub(&server, i / 2, i % 2, "connections");

		most = open > most ? open : most;
	}
	cr_assert_leq(most, 40, "%ld of 80 on one of four hubs", most);
	for (unsigned i = 0; i < 100; i++)
		cr_assert(may_come(3), "%u", i);
	for (unsigned i = 0; i < 80; i++)
		close(clients[i]);
}
