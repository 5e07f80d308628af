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
#include "tests/support/trace.h"
#include "tests/unit/hub/io/serving.h"

static struct serving serving;

/* Says whether the service echoes to the client within that time. */
static void
say_served(const char *client, int fd, int64_t patience)
{
	trace_say("%s %s", client, serving_echoes(fd, patience) ? "served" : "not served");
}

static void *
stream_body(void *argument)
{
	struct hub_server_options options = {.opened = serving_opened, .closed = serving_closed};
	int listener = hub_create_server("127.0.0.1", "0", 0), first, second, queued;
	struct hub_server *server;
	ssize_t left;
	char byte;

	server = hub_stream_server_new(listener, serving_echo, &serving, &options);
	first = serving_connect(listener);
	say_served("first", first, 2 * HUB_MILLISECOND);
	hub_server_start(server);
	trace_call("start again", hub_server_start(server));
	say_served("first", first, 10 * HUB_SECOND);
	hub_server_pause(server);
	second = serving_connect(listener);
	serving_echoes(second, 2 * HUB_MILLISECOND);
	hub_server_start(server);
	say_served("second", second, 10 * HUB_SECOND);
	trace_say("%zu connections", hub_server_connections(server));
	hub_server_pause(server);
	/* Queued when the end comes: still served. */
	queued = serving_connect(listener);
	hub_send(queued, "q", 1, 0);
	shutdown(queued, SHUT_WR);
	hub_close(first);
	trace_call("stop", hub_server_stop(server, 500 * HUB_MILLISECOND));
	trace_say("%zu connections", hub_server_connections(server));
	trace_whether("queued one served", hub_recv(queued, &byte, 1, 0) == 1 && byte == 'q');
	do
		left = hub_recv(second, &byte, 1, 0);
	while (left > 0);
	trace_call("killed one closed", left);
	trace_call("start", hub_server_start(server));
	hub_server_free(server);
	hub_close(second);
	hub_close(queued);
	return argument;
}

Test(accepting, starts_pauses_and_stops_without_losing_the_queued)
{
	in_hub(stream_body, NULL);
	cr_assert_str_eq(trace_text(),
		"first not served, start again EALREADY, first served, second served, "
		"2 connections, stop ETIMEDOUT, 0 connections, queued one served, "
		"killed one closed 0, start EBADF");
	cr_assert_eq(serving.opened, 3);
	cr_assert_eq(serving.closed, 3);
}

static void *
pool_body(void *argument)
{
	struct hub_pool pool;
	struct hub_server_options options = {.pool = &pool};
	int listener = hub_create_server("127.0.0.1", "0", 0), first, second;
	struct hub_server *server;

	hub_pool_init(&pool, 1);
	server = hub_stream_server_new(listener, serving_echo, NULL, &options);
	hub_server_start(server);
	first = serving_connect(listener);
	say_served("first", first, 10 * HUB_SECOND);
	second = serving_connect(listener);
	say_served("second", second, 5 * HUB_MILLISECOND);
	hub_close(first);
	say_served("second", second, 10 * HUB_SECOND);
	hub_close(second);
	trace_call("stop", hub_server_stop(server, 10 * HUB_SECOND));
	hub_server_free(server);
	return argument;
}

Test(accepting, a_full_pool_leaves_clients_in_the_kernels_queue)
{
	in_hub(pool_body, NULL);
	cr_assert_str_eq(trace_text(), "first served, second not served, second served, stop 0");
}

static void *
limit_body(void *argument)
{
	struct hub_server_options options = {.accept_failed = serving_failed};
	struct rlimit before, low;
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

	server = hub_stream_server_new(listener, serving_echo, &serving, &options);
	client = serving_connect(listener);
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit){(rlim_t)client + 1, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &low);
	hub_server_start(server);
	say_served("client", client, 5 * HUB_MILLISECOND);
	setrlimit(RLIMIT_NOFILE, &before);
	say_served("client", client, 10 * HUB_SECOND);
	hub_close(client);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return argument;
}

Test(accepting, out_of_descriptors_it_waits_and_goes_on)
{
	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(limit_body, NULL);
	cr_assert_str_eq(trace_text(), "client not served, client served");
	cr_assert_geq(serving.waited, 1);
	cr_assert_eq(serving.failed, serving.waited);
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
	char bytes[16] = "";

	bind(socket, (struct sockaddr *)&address, sizeof address);
	getsockname(socket, (struct sockaddr *)&address, &length);
	server = hub_datagram_server_new(socket, reply, NULL, &options);
	hub_server_start(server);
	hub_sendto(client, "ping", 4, 0, (struct sockaddr *)&address, sizeof address);
	trace_call("recv", hub_recv(client, bytes, sizeof bytes, 0));
	trace_say("'%.4s'", bytes);
	hub_sendto(client, "longer than that", 16, 0, (struct sockaddr *)&address, sizeof address);
	trace_call("recv", hub_recv(client, bytes, sizeof bytes, 0));
	trace_say("'%.8s'", bytes);
	trace_call("stop", hub_server_stop(server, 10 * HUB_SECOND));
	hub_server_free(server);
	hub_close(client);
	return argument;
}

Test(accepting, datagrams)
{
	in_hub(datagram_body, NULL);
	cr_assert_str_eq(trace_text(), "recv 4, 'ping', recv 8, 'longer t', stop 0");
}

static void *
kill_woken_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	struct hub_server *server;

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
		*(int *)argument += serving_echoes(client, 10 * HUB_SECOND);
		hub_close(client);
		hub_server_pause(server);
	}
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	return NULL;
}

Test(accepting, a_pause_loses_no_connection)
{
	int served = 0;

	in_hub(kill_woken_body, &served);
	cr_assert_eq(served, 50);
}

/* ---- what a framework around it needs ---- */

static int permits;

static bool
may_accept(void *context)
{
	(void)context;
	if (permits == 0)
		return false;
	permits--;
	return true;
}

static void
not_accepted(void *context)
{
	(void)context;
	permits++;
}

static void *
permit_body(void *argument)
{
	struct hub_server_options options = {.opened = serving_opened,
		.closed = serving_closed,
		.may_accept = may_accept,
		.not_accepted = not_accepted};
	int listener = hub_create_server("127.0.0.1", "0", 0), first, second;
	struct hub_server *server;

	server = hub_stream_server_new(listener, serving_echo, &serving, &options);
	permits = 1;
	hub_server_start(server);
	first = serving_connect(listener);
	second = serving_connect(listener);
	say_served("first", first, 10 * HUB_SECOND);
	say_served("second", second, 20 * HUB_MILLISECOND);
	trace_say("%d opened", serving.opened);
	permits = 1;
	hub_server_retry(server);
	say_served("second", second, 10 * HUB_SECOND);
	/* Waiting for another client takes no permit. */
	permits = 1;
	hub_server_retry(server);
	hub_sleep(5 * HUB_MILLISECOND);
	trace_say("%d left", permits);
	hub_close(first);
	hub_close(second);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return argument;
}

Test(accepting, nothing_is_accepted_that_is_not_permitted)
{
	in_hub(permit_body, NULL);
	cr_assert_str_eq(
		trace_text(), "first served, second not served, 1 opened, second served, 1 left");
	cr_assert_eq(serving.opened, 2);
	cr_assert_eq(serving.closed, 2);
}

/* Every second one of this machine. */
static bool
admits(void *context, const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	static int asked;

	(void)context;
	return v4->sin_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
	       ++asked % 2 == 0;
}

static void *
admits_body(void *argument)
{
	struct hub_server_options options = {
		.may_accept = may_accept, .not_accepted = not_accepted, .admits = admits};
	int listener = hub_create_server("127.0.0.1", "0", 0);
	struct hub_server *server;

	permits = 4;
	server = hub_stream_server_new(listener, serving_echo, &serving, &options);
	hub_server_start(server);
	for (int i = 0; i < 4; i++) {
		int client = serving_connect(listener);

		say_served("one", client, 10 * HUB_SECOND);
		hub_close(client);
	}
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return argument;
}

Test(accepting, who_is_not_admitted_is_closed_unserved)
{
	in_hub(admits_body, NULL);
	cr_assert_str_eq(trace_text(), "one not served, one served, one not served, one served");
	cr_assert_eq(permits, 2, "two were accepted");
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

	server = hub_stream_server_new(listener, serving_echo, &serving, &options);
	client = serving_connect(listener);
	hub_server_start(server);
	hub_sleep(200 * HUB_MILLISECOND);
	hub_server_pause(server);
	hub_server_free(server);
	hub_close(client);
	return argument;
}

/* They were tried again at once, for ever, and nobody was told to wait. */
Test(accepting, accepts_that_always_fail_are_tried_with_pauses)
{
	refuse_accept(EPERM);
	in_hub(refused_body, NULL);
	cr_assert_geq(serving.waited, 1);
	cr_assert_leq(serving.failed, 10, "%d tries", serving.failed);
}

Test(accepting, neither_is_an_error_of_a_peer_believed_for_ever)
{
	refuse_accept(ECONNABORTED);
	in_hub(refused_body, NULL);
	cr_assert_geq(serving.waited, 1);
	cr_assert_leq(serving.failed, 30, "%d tries", serving.failed);
}
