/* Several hosts in one world: what arrives between them though they are parted, their clocks, and
 * their ports. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/sim/seeds.h"

#define SEEDS 200

TestSuite(hosts, .timeout = 120);

#define ROUNDS 30

static struct {
	struct hub_shared_event *is_ready, *has_to_stop;
	int right, failed, wrong; /* clients of all runs */
	int ends;                 /* that the server has found */
} net;

static void
serve(int client, void *context)
{
	char bytes[100];
	ssize_t length;

	(void)context;
	/* Two bytes end it. */
	while ((length = hub_recv(client, bytes, sizeof bytes, 0)) > 0)
		if (length == 2 || hub_send(client, bytes, (size_t)length, 0) != length)
			return;
	net.ends += length == 0;
}

/* The hub of the host "server". */
static void *
be_server(void *unused)
{
	struct hub_server *server;
	int listener;

	do
		listener = hub_create_server(NULL, "7", 0);
	while (listener == -1);
	server = hub_stream_server_new(listener, serve, NULL, NULL);
	hub_server_start(server);
	hub_shared_event_set(net.is_ready);
	hub_shared_event_wait(net.has_to_stop);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return unused;
}

/* One byte there and back. Returns 0, 1 if it was another one, or -1 with errno. */
static int
exchange_byte(int fd, char byte)
{
	char got;
	ssize_t length;

	if (hub_send(fd, &byte, 1, 0) != 1)
		return -1;
	length = hub_recv(fd, &got, 1, 0);
	if (length != 1)
		return -1;
	return got != byte;
}

static void *
be_client(void *unused)
{
	int fd = hub_create_connection("server", "7"), code = fd == -1 ? -1 : 0;

	for (int i = 0; i < ROUNDS && code == 0; i++) {
		hub_sleep((int64_t)hub_sim_draw(HUB_SECOND));
		code = exchange_byte(fd, (char)hub_sim_draw(256));
	}
	net.right += code == 0;
	net.failed += code == -1;
	net.wrong += code == 1;
	if (fd != -1)
		hub_close(fd);
	return unused;
}

/* Runs body while the server is there. */
static void
with_server(hub_fn *body)
{
	struct hub_sim_hub *server;

	net.is_ready = hub_shared_event_new();
	net.has_to_stop = hub_shared_event_new();
	server = hub_sim_start("server", be_server, NULL);
	hub_shared_event_wait(net.is_ready);
	body(NULL);
	hub_shared_event_set(net.has_to_stop);
	hub_sim_join(server, NULL);
	hub_shared_event_free(net.is_ready);
	hub_shared_event_free(net.has_to_stop);
}

static void *
be_clients(void *unused)
{
	struct hub_sim_hub *other = hub_sim_start("client", be_client, NULL);

	be_client(NULL);
	hub_sim_join(other, NULL);
	return unused;
}

static void *
echo_between_hosts(void *unused)
{
	with_server(be_clients);
	return unused;
}

Test(hosts, bytes_arrive_once_or_with_an_error_though_hosts_are_parted)
{
	struct hub_sim_options options = hub_sim_trouble;

	options.partition = 30;
	EACH_SEED (seed, SEEDS) {
		uint64_t trace;

		cr_assert_eq(hub_sim_run(seed, &options, echo_between_hosts, NULL), 0, "%s",
			hub_sim_report());
		trace = hub_sim_trace();
		hub_sim_run(seed, &options, echo_between_hosts, NULL);
		cr_assert_eq(hub_sim_trace(), trace, "seed %lu", (unsigned long)seed);
	}
	cr_assert_eq(net.wrong, 0);
	cr_assert_gt(net.right, 0);
	cr_assert_gt(net.failed, 0, "there was no trouble");
}

Test(hosts, without_trouble_all_bytes_arrive)
{
	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, NULL, echo_between_hosts, NULL), 0, "%s",
			hub_sim_report());
	cr_assert_eq(net.right, 2 * SEEDS);
}

static struct {
	int first, parted, later; /* what exchange_byte returned */
	int error;                /* of later */
	int64_t took, lost_after;
} parting;

static void *
join_hosts(void *unused)
{
	hub_sleep(10 * HUB_SECOND);
	hub_sim_partition("first", "server", false);
	return unused;
}

static void *
be_parted(void *unused)
{
	int fd = hub_create_connection("server", "7");
	struct hub_coroutine *joiner;
	int64_t began;

	parting.first = exchange_byte(fd, 'a');
	hub_sim_partition("first", "server", true);
	joiner = hub_spawn(join_hosts, NULL);
	began = hub_now();
	parting.parted = exchange_byte(fd, 'b');
	parting.took = hub_now() - began;
	hub_join(joiner, NULL);
	hub_sim_partition("first", "server", true);
	began = hub_now();
	parting.later = exchange_byte(fd, 'c');
	parting.error = errno;
	parting.lost_after = hub_now() - began;
	hub_sim_partition("first", "server", false);
	hub_close(fd);
	/* For the end that the server would find, if one were sent. */
	hub_sleep(HUB_SECOND);
	return unused;
}

static void *
partition_body(void *unused)
{
	with_server(be_parted);
	return unused;
}

Test(hosts, a_partition_holds_bytes_and_ends_a_connection_if_it_lasts)
{
	cr_assert_eq(hub_sim_run(1, NULL, partition_body, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(parting.first, 0);
	cr_assert_eq(parting.parted, 0);
	cr_assert_geq(parting.took, 10 * HUB_SECOND);
	cr_assert_leq(parting.took, 60 * HUB_SECOND);
	cr_assert_eq(parting.later, -1);
	cr_assert_eq(parting.error, ETIMEDOUT);
	cr_assert_geq(parting.lost_after, 600 * HUB_SECOND);
	cr_assert_eq(net.ends, 0, "a connection that was lost has ended");
}

static struct {
	ssize_t sent, received;
	int error; /* of received */
} losing;

static void *
lose_within_a_send(void *unused)
{
	static char bytes[8 << 20];
	int fd = hub_create_connection("server", "7");

	hub_sim_partition("first", "server", true);
	losing.sent = hub_send(fd, bytes, sizeof bytes, 0);
	losing.received = hub_recv(fd, bytes, sizeof bytes, 0);
	losing.error = errno;
	hub_sim_partition("first", "server", false);
	hub_close(fd);
	return unused;
}

static void *
loss_body(void *unused)
{
	with_server(lose_within_a_send);
	return unused;
}

/* The kernel tells it once. */
Test(hosts, a_loss_that_a_sender_has_met_is_no_end_of_the_stream)
{
	cr_assert_eq(hub_sim_run(1, NULL, loss_body, NULL), 0, "%s", hub_sim_report());
	cr_assert_gt(losing.sent, 0);
	cr_assert_lt(losing.sent, 8 << 20);
	cr_assert_eq(losing.received, -1);
	cr_assert_eq(losing.error, ETIMEDOUT);
}

static struct {
	bool heals;
	ssize_t first, second, later; /* sends */
	int error;                    /* of later */
} unread;

static void *
write_to_nobody(void *unused)
{
	int fd = hub_create_connection("server", "7");

	hub_send(fd, "ab", 2, 0);
	hub_sleep(HUB_SECOND);
	hub_sim_partition("first", "server", true);
	unread.first = hub_send(fd, "c", 1, 0);
	hub_sleep(10 * HUB_SECOND);
	unread.second = hub_send(fd, "d", 1, 0);
	if (unread.heals)
		hub_sim_partition("first", "server", false);
	hub_sleep(3600 * HUB_SECOND);
	unread.later = hub_send(fd, "e", 1, 0);
	unread.error = errno;
	hub_sim_partition("first", "server", false);
	hub_close(fd);
	return unused;
}

static void *
nobody_body(void *unused)
{
	with_server(write_to_nobody);
	return unused;
}

Test(hosts, a_write_to_a_peer_that_has_closed_is_answered_when_hosts_are_joined)
{
	for (int heals = 0; heals < 2; heals++) {
		unread.heals = heals;
		cr_assert_eq(hub_sim_run(1, NULL, nobody_body, NULL), 0, "%s", hub_sim_report());
		cr_assert_eq(unread.first, 1);
		cr_assert_eq(unread.second, 1);
		cr_assert_eq(unread.later, -1);
		cr_assert_eq(unread.error, heals ? ECONNRESET : ETIMEDOUT);
	}
}

/* ---- clocks ---- */

static struct {
	struct hub_shared_queue *ticks;
	int64_t slept, seen; /* of one host's sleep: by its own clock, and by the other's */
	time_t jumped;
	int64_t expired_after;
} clocks;

static void *
sleep_there(void *unused)
{
	int64_t began = hub_now();

	hub_shared_queue_put(clocks.ticks, &clocks);
	hub_sleep(1000 * HUB_SECOND);
	clocks.slept = hub_now() - began;
	hub_shared_queue_put(clocks.ticks, &clocks);
	return unused;
}

static void *
compare_clocks(void *unused)
{
	struct hub_sim_hub *other;
	void *item;
	int64_t began;

	clocks.ticks = hub_shared_queue_new(0);
	other = hub_sim_start("other", sleep_there, NULL);
	hub_shared_queue_get(clocks.ticks, &item);
	began = hub_now();
	hub_shared_queue_get(clocks.ticks, &item);
	clocks.seen = hub_now() - began;
	hub_sim_join(other, NULL);
	hub_shared_queue_free(clocks.ticks);
	return unused;
}

Test(hosts, clocks_of_hosts_drift)
{
	struct hub_sim_options options = {.drift = 100};

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		cr_assert_eq(hub_sim_run(seed, &options, compare_clocks, NULL), 0, "%s",
			hub_sim_report());
		cr_assert_geq(clocks.slept, 1000 * HUB_SECOND);
		cr_assert_leq(clocks.slept, 1001 * HUB_SECOND);
		cr_assert_neq(clocks.slept / HUB_MILLISECOND, clocks.seen / HUB_MILLISECOND);
		cr_assert_geq(clocks.seen, 979 * HUB_SECOND);
		cr_assert_leq(clocks.seen, 1022 * HUB_SECOND);
	}
}

static void *
jump(void *unused)
{
	struct hub_timeout scope;
	time_t before = time(NULL);
	int64_t began = hub_now();

	hub_timeout_start(&scope, 10 * HUB_SECOND);
	hub_sim_jump(3600 * HUB_SECOND);
	clocks.jumped = time(NULL) - before;
	while (hub_sleep(hub_sim_draw(2) == 0 ? HUB_FOREVER : HUB_SECOND) == 0)
		hub_sim_jump(-(int64_t)hub_sim_draw(3600) * HUB_SECOND);
	hub_timeout_stop(&scope);
	clocks.expired_after = hub_now() - began;
	return unused;
}

Test(hosts, a_clock_that_jumps_does_not_move_deadlines)
{
	struct hub_sim_options options = {.jump = 2};

	EACH_SEED (seed, SEEDS) {
		cr_assert_eq(hub_sim_run(seed, &options, jump, NULL), 0, "%s", hub_sim_report());
		cr_assert_geq(clocks.expired_after, 10 * HUB_SECOND);
		cr_assert_leq(clocks.expired_after, 11 * HUB_SECOND);
	}
	cr_assert_eq(hub_sim_run(1, NULL, jump, NULL), 0);
	cr_assert_geq(clocks.jumped, 3600);
	cr_assert_leq(clocks.jumped, 3601);
}

/* ---- ports ---- */

#define PORTS 5
#define SERVER_V4 "10.0.0.2" /* of the second host */

static struct {
	int connected, error; /* connections, until one failed with that */
	int later;            /* connect's result, when one was closed for a minute */
} ports;

static void *
use_up_ports(void *unused)
{
	int fds[PORTS + 1], count = 0;

	while (count <= PORTS && (fds[count] = hub_create_connection(SERVER_V4, "7")) != -1)
		count++;
	ports.connected = count;
	ports.error = errno;
	hub_close(fds[0]);
	hub_sleep(2 * 60 * HUB_SECOND);
	fds[0] = hub_create_connection(SERVER_V4, "7");
	ports.later = fds[0] == -1 ? -1 : 0;
	for (int i = fds[0] == -1; i < count; i++)
		hub_close(fds[i]);
	return unused;
}

static void *
ports_body(void *unused)
{
	with_server(use_up_ports);
	return unused;
}

Test(hosts, clients_use_up_the_ports_of_their_host)
{
	struct hub_sim_options options = {.ports = PORTS};

	cr_assert_eq(hub_sim_run(1, &options, ports_body, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(ports.connected, PORTS);
	cr_assert_eq(ports.error, EADDRNOTAVAIL);
	cr_assert_eq(ports.later, 0);
}
