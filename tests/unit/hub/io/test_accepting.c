/* How a server accepts: when it may, when it can, and past errors. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/serving.h"

static struct serving *current;

static void *
stream_body(void *argument)
{
	struct hub_server_options options = {.opened = serving_opened, .closed = serving_closed};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[4];
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	clients[0] = serving_connect(listener);
	current->errors[0] = serving_echoes(clients[0], 2 * HUB_MILLISECOND);
	hub_server_start(server);
	current->errors[1] = hub_server_start(server) == -1 ? errno : 0;
	current->errors[2] = serving_echoes(clients[0], 10 * HUB_SECOND);
	hub_server_pause(server);
	clients[1] = serving_connect(listener);
	current->errors[3] = serving_echoes(clients[1], 2 * HUB_MILLISECOND);
	hub_server_start(server);
	current->errors[4] = serving_echoes(clients[1], 10 * HUB_SECOND);
	current->counts[0] = (int)hub_server_connections(server);
	hub_server_pause(server);
	/* Queued when the end comes: still served. */
	clients[2] = serving_connect(listener);
	hub_send(clients[2], "q", 1, 0);
	shutdown(clients[2], SHUT_WR);
	hub_close(clients[0]);
	current->errors[5] = hub_server_stop(server, 500 * HUB_MILLISECOND) == -1 ? errno : 0;
	current->counts[1] = (int)hub_server_connections(server);
	current->errors[6] = (int)hub_recv(clients[2], current->text, 16, 0);
	do
		current->errors[7] = (int)hub_recv(clients[1], current->text + 8, 8, 0);
	while (current->errors[7] > 0);
	current->errors[8] = hub_server_start(server) == -1 ? errno : 0;
	hub_server_free(server);
	hub_close(clients[1]);
	hub_close(clients[2]);
	return NULL;
}

Test(accepting, starts_pauses_and_stops_without_losing_the_queued)
{
	struct serving record = {0};

	in_hub(stream_body, &record);
	cr_assert_not(record.errors[0]);
	cr_assert_eq(record.errors[1], EALREADY);
	cr_assert(record.errors[2]);
	cr_assert_eq(record.counts[0], 2);
	cr_assert(record.errors[4]);
	cr_assert_eq(record.errors[5], ETIMEDOUT, "%d", record.errors[5]);
	cr_assert_eq(record.counts[1], 0);
	cr_assert_eq(record.errors[6], 1, "the queued one is lost");
	cr_assert_eq(record.text[0], 'q');
	cr_assert_eq(record.errors[7], 0, "one that was killed is not closed");
	cr_assert_eq(record.errors[8], EBADF);
	cr_assert_eq(record.opened, 3);
	cr_assert_eq(record.closed, 3);
}

static void *
pool_body(void *argument)
{
	struct hub_pool pool;
	struct hub_server_options options = {.pool = &pool};
	int listener = hub_create_server("127.0.0.1", "0", 0), first, second;
	struct hub_server *server;

	current = argument;
	hub_pool_init(&pool, 1);
	server = hub_stream_server_new(listener, serving_echo, NULL, &options);
	hub_server_start(server);
	first = serving_connect(listener);
	current->errors[0] = serving_echoes(first, 10 * HUB_SECOND);
	second = serving_connect(listener);
	current->errors[1] = serving_echoes(second, 5 * HUB_MILLISECOND);
	hub_close(first);
	current->errors[2] = serving_echoes(second, 10 * HUB_SECOND);
	hub_close(second);
	current->errors[3] = hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting, a_full_pool_leaves_clients_in_the_kernels_queue)
{
	struct serving record = {0};

	in_hub(pool_body, &record);
	cr_assert(record.errors[0]);
	cr_assert_not(record.errors[1]);
	cr_assert(record.errors[2]);
	cr_assert_eq(record.errors[3], 0);
}

static void *
limit_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = serving_failed};
	struct rlimit before, low;
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	client = serving_connect(listener);
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit){(rlim_t)client + 1, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &low);
	hub_server_start(server);
	current->errors[0] = serving_echoes(client, 5 * HUB_MILLISECOND);
	setrlimit(RLIMIT_NOFILE, &before);
	current->errors[1] = serving_echoes(client, 10 * HUB_SECOND);
	hub_close(client);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting, out_of_descriptors_it_waits_and_goes_on)
{
	struct serving record = {0};

	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(limit_body, &record);
	cr_assert_not(record.errors[0]);
	cr_assert(record.errors[1]);
	cr_assert_geq(record.waited, 1);
	cr_assert_eq(record.failed, record.waited);
}

static void
reply(const struct hub_datagram *datagram, void *context)
{
	(void)context;
	hub_sendto(datagram->socket, datagram->data, datagram->length, 0,
		(const struct sockaddr *)&datagram->address, datagram->address_length);
}

static void *
datagram_body(void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct hub_server_options options = {.datagram_size = 8};
	socklen_t length = sizeof address;
	int socket = hub_socket(AF_INET, SOCK_DGRAM, 0),
	    client = hub_socket(AF_INET, SOCK_DGRAM, 0);
	struct hub_server *server;

	current = argument;
	bind(socket, (struct sockaddr *)&address, sizeof address);
	getsockname(socket, (struct sockaddr *)&address, &length);
	server = hub_datagram_server_new(socket, reply, NULL, &options);
	hub_server_start(server);
	hub_sendto(client, "ping", 4, 0, (struct sockaddr *)&address, sizeof address);
	current->errors[0] = (int)hub_recv(client, current->text, 16, 0);
	hub_sendto(client, "longer than that", 16, 0, (struct sockaddr *)&address, sizeof address);
	current->errors[1] = (int)hub_recv(client, current->text + 4, 12, 0);
	current->errors[2] = hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_close(client);
	return NULL;
}

Test(accepting, datagrams)
{
	struct serving record = {0};

	in_hub(datagram_body, &record);
	cr_assert_eq(record.errors[0], 4);
	cr_assert_eq(record.errors[1], 8);
	cr_assert_eq(memcmp(record.text, "pinglonger t", 12), 0);
	cr_assert_eq(record.errors[2], 0);
}

static void *
kill_woken_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, serving_echo, NULL, NULL);
	for (int i = 0; i < 50; i++) {
		hub_server_start(server);
		hub_sleep(0);
		client = serving_connect(listener);
		/* Whether the acceptor has been woken for it or not. */
		if (i % 2)
			hub_sleep(0);
		hub_server_pause(server);
		hub_server_start(server);
		current->counts[0] += serving_echoes(client, 10 * HUB_SECOND);
		hub_close(client);
		hub_server_pause(server);
	}
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting, a_pause_loses_no_connection)
{
	struct serving record = {0};

	in_hub(kill_woken_body, &record);
	cr_assert_eq(record.counts[0], 50);
}

/* ---- what a framework around it needs ---- */

static bool
may_accept(void *context)
{
	struct serving *record = context;

	if (record->counts[0] == 0)
		return false;
	record->counts[0]--;
	return true;
}

static void
not_accepted(void *context)
{
	((struct serving *)context)->counts[0]++;
}

static void *
permit_body(void *argument)
{
	struct hub_server_options options = {.opened = serving_opened,
		.closed = serving_closed,
		.may_accept = may_accept,
		.not_accepted = not_accepted};
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[2];
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	current->counts[0] = 1;
	hub_server_start(server);
	for (int i = 0; i < 2; i++)
		clients[i] = serving_connect(listener);
	current->errors[0] = serving_echoes(clients[0], 10 * HUB_SECOND);
	current->errors[1] = serving_echoes(clients[1], 20 * HUB_MILLISECOND);
	current->counts[1] = current->opened;
	current->counts[0] = 1;
	hub_server_retry(server);
	current->errors[2] = serving_echoes(clients[1], 10 * HUB_SECOND);
	/* Waiting for another client takes no permit. */
	current->counts[0] = 1;
	hub_server_retry(server);
	hub_sleep(5 * HUB_MILLISECOND);
	current->counts[2] = current->counts[0];
	for (int i = 0; i < 2; i++)
		hub_close(clients[i]);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting, nothing_is_accepted_that_is_not_permitted)
{
	struct serving record = {0};

	in_hub(permit_body, &record);
	cr_assert(record.errors[0]);
	cr_assert_not(record.errors[1], "accepted without a permit");
	cr_assert_eq(record.counts[1], 1);
	cr_assert(record.errors[2]);
	cr_assert_eq(record.counts[2], 1, "one who waits holds a permit");
	cr_assert_eq(record.opened, 2);
	cr_assert_eq(record.closed, 2);
}

/* Every second one of this machine. */
static bool
admits(void *context, const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	struct serving *record = context;

	return v4->sin_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
	       ++record->counts[1] % 2 == 0;
}

static void *
admits_body(void *argument)
{
	struct hub_server_options options = {
		.may_accept = may_accept, .not_accepted = not_accepted, .admits = admits};
	int listener = hub_create_server("127.0.0.1", "0", 0);
	struct hub_server *server;

	current = argument;
	current->counts[0] = 4;
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		int client = serving_connect(listener);

		current->errors[i] = serving_echoes(client, 10 * HUB_SECOND);
		hub_close(client);
	}
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting, who_is_not_admitted_is_closed_unserved)
{
	struct serving record = {0};

	in_hub(admits_body, &record);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(record.errors[i], i % 2, "client %d", i);
	cr_assert_eq(record.counts[0], 2, "two were accepted");
}

/* From here on this process cannot accept. */
static void
refuse_accept(int error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void *
refused_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = serving_failed};
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	current = argument;
	server = hub_stream_server_new(listener, serving_echo, current, &options);
	client = serving_connect(listener);
	hub_server_start(server);
	hub_sleep(200 * HUB_MILLISECOND);
	hub_server_pause(server);
	hub_server_free(server);
	hub_close(client);
	return NULL;
}

/* They were tried again at once, for ever, and nobody was told to wait. */
Test(accepting, accepts_that_always_fail_are_tried_with_pauses)
{
	struct serving record = {0};

	refuse_accept(EPERM);
	in_hub(refused_body, &record);
	cr_assert_geq(record.waited, 1);
	cr_assert_leq(record.failed, 10, "%d tries", record.failed);
}

Test(accepting, neither_is_an_error_of_a_peer_believed_for_ever)
{
	struct serving record = {0};

	refuse_accept(ECONNABORTED);
	in_hub(refused_body, &record);
	cr_assert_geq(record.waited, 1);
	cr_assert_leq(record.failed, 30, "%d tries", record.failed);
}
