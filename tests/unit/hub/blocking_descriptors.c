/* What coroutines wait for with descriptors: sockets, TLS, servers. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hubbub/hub.h>
#include <hubbub/io/tls.h>

#include "tests/support/certificate.h"
#include "tests/support/full.h"
#include "tests/unit/hub/blocking.h"

/* Things that never happen. */
static struct {
	struct hub_event event;
	int idle[2]; /* nothing to read */
	int full_pair[2];
	int full_stream[2];
	int full_tls[2];
	int listener;
	int file;
	int unanswered; /* its queue is full, so no further connection is established */
	struct sockaddr_in unanswered_address;
	struct hub_server *server;  /* with a connection that stays */
	struct hub_server *crowded; /* in whose pool there is no room for the one that is queued */
	struct hub_pool pool;
	struct hub_tls *tls_server, *tls_client;
} never;

/* Closes it, and keeps errno. */
static int
closed(int fd, int result)
{
	int error = errno;

	hub_close(fd);
	errno = error;
	return result;
}

static int
call_select(void)
{
	struct hub_case cases[] = {
		hub_case_event(&never.event), hub_case_fd(never.idle[0], POLLIN)};

	return hub_select(cases, 2, HUB_FOREVER);
}

static int
call_recv(void)
{
	char byte;

	return (int)hub_recv(never.idle[0], &byte, 1, 0);
}

static int
call_recvfrom(void)
{
	char byte;

	return (int)hub_recvfrom(never.idle[0], &byte, 1, 0, NULL, NULL);
}

static int
call_recvmsg(void)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return (int)hub_recvmsg(never.idle[0], &message, 0);
}

static int
call_read(void)
{
	char byte;

	return (int)hub_read(never.idle[0], &byte, 1);
}

static int
call_readv(void)
{
	char byte;
	struct iovec part = {&byte, 1};

	return (int)hub_readv(never.idle[0], &part, 1);
}

static int
call_send(void)
{
	return (int)hub_send(never.full_pair[0], "x", 1, 0);
}

static int
call_sendto(void)
{
	return (int)hub_sendto(never.full_pair[0], "x", 1, 0, NULL, 0);
}

static int
call_sendmsg(void)
{
	struct iovec part = {"x", 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return (int)hub_sendmsg(never.full_pair[0], &message, 0);
}

static int
call_write(void)
{
	return (int)hub_write(never.full_pair[0], "x", 1);
}

static int
call_writev(void)
{
	struct iovec part = {"x", 1};

	return (int)hub_writev(never.full_pair[0], &part, 1);
}

static int
call_sendfile(void)
{
	off_t offset = 0;

	return (int)hub_sendfile(never.full_stream[0], never.file, &offset, 1);
}

static int
call_accept(void)
{
	return hub_accept(never.listener, NULL, NULL);
}

static int
call_wait_fd(void)
{
	return hub_wait_fd(never.idle[0], POLLIN);
}

static int
call_poll(void)
{
	struct pollfd one = {never.idle[0], POLLIN, 0};

	return hub_poll(&one, 1, -1);
}

static int
call_server_wait(void)
{
	return hub_server_wait(never.server);
}

static int
call_await_fd(void)
{
	return hub_await_fd(never.idle[0], POLLIN, HUB_FOREVER);
}

static int
call_connect(void)
{
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	return closed(fd, hub_connect(fd, (struct sockaddr *)&never.unanswered_address,
				  sizeof never.unanswered_address));
}

static int
call_create_connection(void)
{
	char port[8];

	snprintf(port, sizeof port, "%d", ntohs(never.unanswered_address.sin_port));
	return hub_create_connection("127.0.0.1", port);
}

static int
call_tls_accept(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	return closed(pair[1], closed(pair[0], hub_tls_accept(pair[0], never.tls_server)));
}

static int
call_tls_connect(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	return closed(pair[1], closed(pair[0], hub_tls_connect(pair[0], never.tls_client, NULL)));
}

static int
call_shutdown(void)
{
	return hub_shutdown(never.full_tls[1], SHUT_WR);
}

static void *
sleep_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void
serve_for_ever(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) > 0)
		continue;
}

/* A listener with one connection in its queue, which stays open. */
static int
listener_with_client(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int listener = hub_create_server("127.0.0.1", "0", 0),
	    client = socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	connect(client, (struct sockaddr *)&address, length);
	return listener;
}

/* A server with one connection, which stays. */
static struct hub_server *
server_with_client(void)
{
	struct hub_timeout shield;
	struct hub_server *server;

	hub_shield_start(&shield);
	server = hub_stream_server_new(listener_with_client(), serve_for_ever, NULL, NULL);
	hub_server_accept_queued(server);
	hub_shield_stop(&shield);
	return server;
}

static int
call_server_serve(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	return closed(pair[1], hub_server_serve(never.crowded, pair[0]));
}

static int
call_server_accept_queued(void)
{
	return hub_server_accept_queued(never.crowded);
}

static int
call_server_stop(void)
{
	struct hub_server *own = server_with_client();
	int error, result = hub_server_stop(own, HUB_FOREVER);

	error = errno;
	hub_server_free(own);
	errno = error;
	return result;
}

const struct blocking_call blocking_descriptors[] = {
	{"hub_select", call_select},
	{"hub_recv", call_recv},
	{"hub_recvfrom", call_recvfrom},
	{"hub_recvmsg", call_recvmsg},
	{"hub_read", call_read},
	{"hub_readv", call_readv},
	{"hub_send", call_send},
	{"hub_sendto", call_sendto},
	{"hub_sendmsg", call_sendmsg},
	{"hub_write", call_write},
	{"hub_writev", call_writev},
	{"hub_sendfile", call_sendfile},
	{"hub_accept", call_accept},
	{"hub_wait_fd", call_wait_fd},
	{"hub_poll", call_poll},
	{"hub_server_wait", call_server_wait},
	{"hub_await_fd", call_await_fd},
	{"hub_connect", call_connect},
	{"hub_create_connection", call_create_connection},
	{"hub_tls_accept", call_tls_accept},
	{"hub_tls_connect", call_tls_connect},
	{"hub_shutdown", call_shutdown},
	{"hub_server_serve", call_server_serve},
	{"hub_server_accept_queued", call_server_accept_queued},
	{"hub_server_stop", call_server_stop},
	{0},
};

static void *
accept_tls(void *argument)
{
	hub_tls_accept(never.full_tls[0], never.tls_server);
	return argument;
}

static void
begin_tls(void)
{
	struct certificate certificate = {0};
	struct hub_coroutine *server;
	char byte = 0;

	certificate_make(&certificate);
	never.tls_server = hub_tls_server_new(certificate.file, certificate.key);
	never.tls_client = hub_tls_client_new(certificate.file);
	certificate_clean(&certificate);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, never.full_tls);
	server = hub_spawn(accept_tls, NULL);
	hub_tls_connect(never.full_tls[1], never.tls_client, NULL);
	hub_join(server, NULL);
	while (hub_send(never.full_tls[1], &byte, 1, MSG_DONTWAIT) == 1)
		continue;
}

/* Of two more connections one fills the queue, and one waits for it to have room. */
static void
begin_unanswered(void)
{
	socklen_t length = sizeof never.unanswered_address;

	never.unanswered = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	never.unanswered_address =
		(struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	bind(never.unanswered, (struct sockaddr *)&never.unanswered_address, length);
	listen(never.unanswered, 0);
	getsockname(never.unanswered, (struct sockaddr *)&never.unanswered_address, &length);
	for (int i = 0; i < 2; i++) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		connect(client, (struct sockaddr *)&never.unanswered_address, length);
	}
}

static void
begin_servers(void)
{
	struct hub_server_options options = {.pool = &never.pool};

	never.server = server_with_client();
	hub_pool_init(&never.pool, 1);
	hub_pool_spawn(&never.pool, sleep_for_ever, NULL);
	never.crowded =
		hub_stream_server_new(listener_with_client(), serve_for_ever, NULL, &options);
}

void
blocking_descriptors_begin(void)
{
	char byte = 0;

	memset(&never, 0, sizeof never);
	socketpair(AF_UNIX, SOCK_STREAM, 0, never.idle);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, never.full_pair);
	while (write(never.full_pair[0], &byte, 1) == 1)
		continue;
	never.listener = hub_create_server("127.0.0.1", "0", 0);
	never.file = open("/proc/self/exe", O_RDONLY);
	full_stream(never.full_stream);
	begin_unanswered();
	begin_servers();
	begin_tls();
}

void
blocking_descriptors_end(void)
{
	hub_server_stop(never.server, 0);
	hub_server_free(never.server);
	hub_server_free(never.crowded);
	hub_close(never.full_tls[0]);
	hub_close(never.full_tls[1]);
	hub_tls_free(never.tls_server);
	hub_tls_free(never.tls_client);
}
