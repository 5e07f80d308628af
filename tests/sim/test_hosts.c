/* Several hubs and hosts in one world, in one thread: that hubs exchange what threads exchange and
 * have what is a thread's own, that what is left of one is found, and what is between hosts. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define SEEDS 200
#define ITEMS 50

TestSuite(hosts, .timeout = 120);

/* ---- threads ---- */

static struct {
	struct hub_shared_queue *there, *back;
	long wrong;
} exchange;

static void *
send_back(void *unused)
{
	void *item;

	while (hub_shared_queue_get(exchange.there, &item) == 0)
		if (hub_shared_queue_put(exchange.back, item) != 0)
			exchange.wrong++;
	return unused;
}

static void *
feed(void *unused)
{
	for (intptr_t i = 1; i <= ITEMS; i++) {
		if (hub_sim_draw(4) == 0)
			hub_sleep((int64_t)hub_sim_draw(HUB_SECOND));
		if (hub_shared_queue_put(exchange.there, (void *)i) != 0)
			exchange.wrong++;
	}
	return unused;
}

static void *
exchange_body(void *unused)
{
	struct hub_sim_hub *other;
	struct hub_coroutine *feeder;
	void *item, *result = NULL;

	exchange.there = hub_shared_queue_new(3);
	exchange.back = hub_shared_queue_new(3);
	other = hub_sim_start(NULL, send_back, &exchange);
	feeder = hub_spawn(feed, NULL);
	for (intptr_t i = 1; i <= ITEMS; i++)
		if (hub_shared_queue_get(exchange.back, &item) != 0 || item != (void *)i)
			exchange.wrong++;
	hub_join(feeder, NULL);
	hub_shared_queue_close(exchange.there);
	if (hub_sim_join(other, &result) != 0 || result != &exchange)
		exchange.wrong++;
	hub_shared_queue_free(exchange.there);
	hub_shared_queue_free(exchange.back);
	return unused;
}

Test(hosts, two_hubs_exchange_items_by_their_mailboxes)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		uint64_t trace;

		cr_assert_eq(hub_sim_run(seed, &hub_sim_trouble, exchange_body, NULL), 0, "%s",
			hub_sim_report());
		trace = hub_sim_trace();
		hub_sim_run(seed, &hub_sim_trouble, exchange_body, NULL);
		cr_assert_eq(hub_sim_trace(), trace, "seed %lu", (unsigned long)seed);
	}
	cr_assert_eq(exchange.wrong, 0);
}

static _Thread_local int own = 7;
static long strange;

static void *
change_own(void *argument)
{
	int number = (int)(intptr_t)argument;

	strange += own != 7;
	own = number;
	for (int i = 0; i < 20; i++) {
		errno = number;
		if (hub_sim_draw(2) == 0)
			hub_sleep(0);
		strange += errno != number && errno != 0;
		hub_sleep((int64_t)hub_sim_draw(1000));
		strange += own != number;
	}
	return NULL;
}

static void *
have_own_variables(void *unused)
{
	struct hub_sim_hub *hubs[8];

	for (intptr_t i = 0; i < 8; i++)
		hubs[i] = hub_sim_start(NULL, change_own, (void *)(i + 100));
	for (int i = 0; i < 8; i++)
		hub_sim_join(hubs[i], NULL);
	strange += own != 7;
	return unused;
}

Test(hosts, each_hub_has_thread_local_variables_of_its_own)
{
	cr_assert_eq(hub_sim_run(1, NULL, have_own_variables, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(strange, 0);
}

/* ---- hosts ---- */

#define ROUNDS 30

static struct {
	struct hub_shared_event *is_ready, *has_to_stop;
	int right, failed, wrong; /* clients of all runs */
} net;

static void
serve(int client, void *context)
{
	char bytes[100];
	ssize_t length;

	(void)context;
	while ((length = hub_recv(client, bytes, sizeof bytes, 0)) > 0)
		if (hub_send(client, bytes, (size_t)length, 0) != length)
			return;
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

/* Runs client in a hub on another host than the server's. */
static void
run_beside_server(const char *host, hub_fn *client)
{
	struct hub_sim_hub *server, *other;

	net.is_ready = hub_shared_event_new();
	net.has_to_stop = hub_shared_event_new();
	server = hub_sim_start("server", be_server, NULL);
	hub_shared_event_wait(net.is_ready);
	other = hub_sim_start(host, client, NULL);
	client(NULL);
	hub_sim_join(other, NULL);
	hub_shared_event_set(net.has_to_stop);
	hub_sim_join(server, NULL);
	hub_shared_event_free(net.is_ready);
	hub_shared_event_free(net.has_to_stop);
}

static void *
echo_between_hosts(void *unused)
{
	run_beside_server("client", be_client);
	return unused;
}

Test(hosts, bytes_arrive_once_or_with_an_error_though_hosts_are_parted)
{
	struct hub_sim_options options = hub_sim_trouble;

	options.partition = 30;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
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
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
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
	return unused;
}

static void *
do_nothing(void *unused)
{
	return unused;
}

static void *
partition_body(void *unused)
{
	struct hub_sim_hub *server;

	net.is_ready = hub_shared_event_new();
	net.has_to_stop = hub_shared_event_new();
	server = hub_sim_start("server", be_server, NULL);
	hub_shared_event_wait(net.is_ready);
	be_parted(NULL);
	hub_shared_event_set(net.has_to_stop);
	hub_sim_join(server, NULL);
	hub_shared_event_free(net.is_ready);
	hub_shared_event_free(net.has_to_stop);
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
}

/* ---- names ---- */

static struct {
	int v4, v6;          /* addresses */
	int unknown, lonely; /* of getaddrinfo, and of connect: errno */
} names;

static void *
look_up(void *unused)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
	struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(7)};
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	hub_sim_join(hub_sim_start("other", do_nothing, NULL), NULL);
	if (hub_getaddrinfo("other", "7", &hints, &addresses) == 0) {
		for (struct addrinfo *each = addresses; each != NULL; each = each->ai_next) {
			names.v4 += each->ai_family == AF_INET;
			names.v6 += each->ai_family == AF_INET6;
		}
		hub_freeaddrinfo(addresses);
	}
	names.unknown = hub_getaddrinfo("nobody", "7", &hints, &addresses);
	nobody.sin_addr.s_addr = htonl(0xc0000201);
	names.lonely = hub_connect(fd, (struct sockaddr *)&nobody, sizeof nobody) == 0 ? 0 : errno;
	hub_close(fd);
	return unused;
}

Test(hosts, names_of_hosts_have_addresses_and_no_others)
{
	cr_assert_eq(hub_sim_run(1, NULL, look_up, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(names.v4, 1);
	cr_assert_eq(names.v6, 1);
	cr_assert_eq(names.unknown, EAI_NONAME);
	cr_assert_eq(names.lonely, EHOSTUNREACH);
}

/* ---- what a run finds ---- */

static void *
leave_a_hub(void *unused)
{
	hub_sim_start(NULL, do_nothing, NULL);
	return unused;
}

Test(hosts, finds_a_hub_that_is_not_joined)
{
	cr_assert_eq(hub_sim_run(1, NULL, leave_a_hub, NULL), -1);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	cr_assert_not_null(
		strstr(hub_sim_report(), "hub 2 was not joined"), "%s", hub_sim_report());
}

static void *
fail(void *unused)
{
	hub_fail(EBADMSG, "it was so");
	return unused;
}

static void *
join_a_failure(void *unused)
{
	hub_sim_join(hub_sim_start(NULL, fail, NULL), NULL);
	return unused;
}

Test(hosts, finds_a_hub_that_has_failed)
{
	cr_assert_eq(hub_sim_run(1, NULL, join_a_failure, NULL), -1);
	cr_assert_not_null(strstr(hub_sim_report(), "coroutine of hub 2 has failed: Bad message"),
		"%s", hub_sim_report());
}

Test(hosts, outside_of_a_world_there_are_none)
{
	cr_assert_null(hub_sim_start(NULL, do_nothing, NULL));
	cr_assert_eq(errno, EPERM);
}
