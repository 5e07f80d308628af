#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int fds[4];
	long results[8];
	int errors[8];
	char bytes[64];
	struct sockaddr_in address;
};

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
	struct record *record = argument;
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	int client = hub_accept(record->fds[0], (struct sockaddr *)&peer, &length);
	char buffer[64];
	ssize_t received;

	record->results[1] = peer.sin_family;
	while ((received = hub_recv(client, buffer, sizeof buffer, 0)) > 0) {
		for (ssize_t i = 0; i < received; i++)
			buffer[i] = (char)(buffer[i] - 32);
		hub_send(client, buffer, (size_t)received, 0);
	}
	hub_close(client);
	return NULL;
}

static void *
tcp_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *server;
	int fd;

	record->fds[0] = make_listener(&record->address);
	server = hub_spawn(upper_server, record);
	fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	record->results[0] =
		hub_connect(fd, (struct sockaddr *)&record->address, sizeof record->address);
	for (int i = 0; i < 3; i++) {
		hub_send(fd, "hello", 5, 0);
		record->results[2] = hub_recv(fd, record->bytes, 5, MSG_WAITALL);
	}
	hub_close(fd);
	hub_join(server, NULL);
	hub_close(record->fds[0]);
	return NULL;
}

Test(socket, connect_accept_send_and_recv)
{
	struct record record = {0};

	in_hub(tcp_body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], AF_INET);
	cr_assert_eq(record.results[2], 5);
	cr_assert_arr_eq(record.bytes, "HELLO", 5);
}

static void *
refused_body(void *argument)
{
	struct record *record = argument;
	int listener = make_listener(&record->address), fd;

	hub_close(listener);
	fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	record->results[0] =
		hub_connect(fd, (struct sockaddr *)&record->address, sizeof record->address);
	record->errors[0] = errno;
	hub_close(fd);
	return NULL;
}

Test(socket, connect_to_nobody_is_refused)
{
	struct record record = {0};

	in_hub(refused_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], ECONNREFUSED);
}

static void *
datagram_body(void *argument)
{
	struct record *record = argument;
	struct sockaddr_in peer;
	socklen_t length = sizeof record->address;

	for (int i = 0; i < 2; i++) {
		record->fds[i] = hub_socket(AF_INET, SOCK_DGRAM, 0);
		record->address = (struct sockaddr_in){.sin_family = AF_INET};
		record->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		bind(record->fds[i], (struct sockaddr *)&record->address, sizeof record->address);
	}
	getsockname(record->fds[1], (struct sockaddr *)&record->address, &length);
	record->results[0] = hub_sendto(record->fds[0], "ping", 4, 0,
		(struct sockaddr *)&record->address, sizeof record->address);
	length = sizeof peer;
	/* A datagram that is shorter than the buffer says nothing about the next. */
	record->results[1] = hub_recvfrom(
		record->fds[1], record->bytes, 64, 0, (struct sockaddr *)&peer, &length);
	hub_sendto(record->fds[1], "pong", 4, 0, (struct sockaddr *)&peer, length);
	hub_sendto(record->fds[1], "pang", 4, 0, (struct sockaddr *)&peer, length);
	record->results[2] = hub_recv(record->fds[0], record->bytes + 4, 60, 0);
	record->results[3] = hub_recv(record->fds[0], record->bytes + 8, 56, MSG_DONTWAIT);
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	return NULL;
}

Test(socket, datagrams_keep_their_bounds)
{
	struct record record = {0};

	in_hub(datagram_body, &record);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(record.results[i], 4);
	cr_assert_arr_eq(record.bytes, "pingpongpang", 12);
}

static void *
send_descriptor_body(void *argument)
{
	struct record *record = argument;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec part = {record->bytes, 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	int pipes[2], received;

	if (pipe(pipes) != 0)
		return NULL;
	socketpair(AF_UNIX, SOCK_STREAM, 0, record->fds);
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &pipes[1], sizeof(int));
	record->results[0] = hub_sendmsg(record->fds[0], &message, 0);
	record->results[1] = hub_recvmsg(record->fds[1], &message, MSG_CMSG_CLOEXEC);
	memcpy(&received, CMSG_DATA(&control.header), sizeof(int));
	record->results[2] = hub_write(received, "through", 7);
	record->results[3] = hub_read(pipes[0], record->bytes, sizeof record->bytes);
	hub_close(received);
	hub_close(pipes[0]);
	hub_close(pipes[1]);
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	return NULL;
}

Test(socket, messages_carry_descriptors)
{
	struct record record = {0};

	in_hub(send_descriptor_body, &record);
	cr_assert_eq(record.results[0], 1);
	cr_assert_eq(record.results[1], 1);
	cr_assert_eq(record.results[2], 7);
	cr_assert_eq(record.results[3], 7);
	cr_assert_arr_eq(record.bytes, "through", 7);
}

static void *
full_backlog_body(void *argument)
{
	struct record *record = argument;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct hub_timeout scope;
	int clients[8], listener = hub_socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = sizeof address;

	/* An unnamed bind takes a name from the kernel. */
	bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t));
	getsockname(listener, (struct sockaddr *)&address, &length);
	listen(listener, 0);
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	for (int i = 0; i < 8; i++) {
		clients[i] = hub_socket(AF_UNIX, SOCK_STREAM, 0);
		if (record->results[0] == 0)
			record->results[0] =
				hub_connect(clients[i], (struct sockaddr *)&address, length);
	}
	record->errors[0] = errno;
	hub_timeout_stop(&scope);
	for (int i = 0; i < 8; i++)
		hub_close(clients[i]);
	hub_close(listener);
	return NULL;
}

Test(socket, a_unix_connect_waits_for_room_in_the_backlog)
{
	struct record record = {0};

	in_hub(full_backlog_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], ETIMEDOUT);
}
