/* Sockets: streams, datagrams, messages with descriptors, and a backlog that is full. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

/* A listening TCP socket on a free loopback port, and its address. */
static int
make_listener(struct sockaddr_in *address)
{
	socklen_t length = sizeof *address;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(fd, (struct sockaddr *)address, sizeof *address);
	getsockname(fd, (struct sockaddr *)address, &length);
	listen(fd, 16);
	return fd;
}

static void *
upper_server(void *argument)
{
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	int client = hub_accept(*(int *)argument, (struct sockaddr *)&peer, &length);
	char buffer[64];
	ssize_t received;

	while ((received = hub_recv(client, buffer, sizeof buffer, 0)) > 0) {
		for (ssize_t i = 0; i < received; i++)
			buffer[i] = (char)(buffer[i] - 32);
		hub_send(client, buffer, (size_t)received, 0);
	}
	hub_close(client);
	return (void *)(intptr_t)peer.sin_family;
}

static void *
tcp_body(void *argument)
{
	struct sockaddr_in address;
	struct hub_coroutine *server;
	int listener = make_listener(&address), fd;
	char bytes[6] = "";
	void *family = NULL;

	server = hub_spawn(upper_server, &listener);
	fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	trace_call("connect", hub_connect(fd, (struct sockaddr *)&address, sizeof address));
	for (int i = 0; i < 3; i++) {
		hub_send(fd, "hello", 5, 0);
		hub_recv(fd, bytes, 5, MSG_WAITALL);
		trace_say("%s", bytes);
	}
	hub_close(fd);
	hub_join(server, &family);
	trace_whether("from an IPv4 address", (intptr_t)family == AF_INET);
	hub_close(listener);
	return argument;
}

Test(socket, connect_accept_send_and_recv)
{
	in_hub(tcp_body, NULL);
	cr_assert_str_eq(trace_text(), "connect 0, HELLO, HELLO, HELLO, from an IPv4 address");
}

static void *
refused_body(void *argument)
{
	struct sockaddr_in address;
	int fd;

	hub_close(make_listener(&address));
	fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	trace_call("connect", hub_connect(fd, (struct sockaddr *)&address, sizeof address));
	hub_close(fd);
	return argument;
}

Test(socket, connect_to_nobody_is_refused)
{
	in_hub(refused_body, NULL);
	cr_assert_str_eq(trace_text(), "connect ECONNREFUSED");
}

static int
make_datagram_socket(struct sockaddr_in *address)
{
	socklen_t length = sizeof *address;
	int fd = hub_socket(AF_INET, SOCK_DGRAM, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(fd, (struct sockaddr *)address, sizeof *address);
	getsockname(fd, (struct sockaddr *)address, &length);
	return fd;
}

static void
say_received(ssize_t received, const char *bytes)
{
	if (received > 0)
		trace_say("received '%.*s'", (int)received, bytes);
	else
		trace_call("recv", received);
}

static void *
datagram_body(void *argument)
{
	struct sockaddr_in address, peer;
	socklen_t length = sizeof peer;
	int first = make_datagram_socket(&address), second = make_datagram_socket(&address);
	char bytes[64];

	trace_call("sendto",
		hub_sendto(first, "ping", 4, 0, (struct sockaddr *)&address, sizeof address));
	/* A datagram that is shorter than the buffer says nothing about the next. */
	say_received(
		hub_recvfrom(second, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &length),
		bytes);
	hub_sendto(second, "pong", 4, 0, (struct sockaddr *)&peer, length);
	hub_sendto(second, "pang", 4, 0, (struct sockaddr *)&peer, length);
	say_received(hub_recv(first, bytes, sizeof bytes, 0), bytes);
	say_received(hub_recv(first, bytes, sizeof bytes, MSG_DONTWAIT), bytes);
	hub_close(first);
	hub_close(second);
	return argument;
}

Test(socket, datagrams_keep_their_bounds)
{
	in_hub(datagram_body, NULL);
	cr_assert_str_eq(
		trace_text(), "sendto 4, received 'ping', received 'pong', received 'pang'");
}

static void *
send_descriptor_body(void *argument)
{
	char bytes[64] = "d";
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec part = {bytes, 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	int ends[2], pair[2], received;

	if (pipe(ends) != 0)
		return NULL;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &ends[1], sizeof(int));
	trace_call("sendmsg", hub_sendmsg(pair[0], &message, 0));
	trace_call("recvmsg", hub_recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC));
	memcpy(&received, CMSG_DATA(&control.header), sizeof(int));
	trace_call("write", hub_write(received, "through", 7));
	say_received(hub_read(ends[0], bytes, sizeof bytes), bytes);
	hub_close(received);
	hub_close(ends[0]);
	hub_close(ends[1]);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(socket, messages_carry_descriptors)
{
	in_hub(send_descriptor_body, NULL);
	cr_assert_str_eq(trace_text(), "sendmsg 1, recvmsg 1, write 7, received 'through'");
}

static void *
full_backlog_body(void *argument)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct hub_timeout scope;
	int clients[8], result = 0, listener = hub_socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = sizeof address;

	/* An unnamed bind takes a name from the kernel. */
	bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t));
	getsockname(listener, (struct sockaddr *)&address, &length);
	listen(listener, 0);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	for (int i = 0; i < 8; i++) {
		clients[i] = hub_socket(AF_UNIX, SOCK_STREAM, 0);
		if (result == 0)
			result = hub_connect(clients[i], (struct sockaddr *)&address, length);
	}
	trace_call("connect", result);
	hub_timeout_stop(&scope);
	for (int i = 0; i < 8; i++)
		hub_close(clients[i]);
	hub_close(listener);
	return argument;
}

Test(socket, a_unix_connect_waits_for_room_in_the_backlog)
{
	in_hub(full_backlog_body, NULL);
	cr_assert_str_eq(trace_text(), "connect ETIMEDOUT");
}
