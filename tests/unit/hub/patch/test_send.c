/* Whatever call sends or receives, the hub is told: idle timeouts and draining judge by that. */
#include <arpa/inet.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/io/traffic.h"
#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

enum { SENDS = 6, RECEIVES = 5 };

static bool is_told[RECEIVES + SENDS];
static struct traffic traffic;
static struct hub_server *server;
static int pair[2];
static char sink[1];

/* By each call of the family one byte; an address that a connected stream does not need, too. */
static ssize_t
send_one(int way, const struct sockaddr *address, socklen_t size)
{
	struct iovec part = {sink, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct mmsghdr messages = {.msg_hdr = message};

	switch (way) {
	case 0:
		return send(pair[0], sink, 1, 0);
	case 1:
		return sendto(pair[0], sink, 1, 0, address, size);
	case 2:
		return write(pair[0], sink, 1);
	case 3:
		return writev(pair[0], &part, 1);
	case 4:
		return sendmsg(pair[0], &message, 0);
	default:
		return sendmmsg(pair[0], &messages, 1, 0);
	}
}

static ssize_t
receive_one(int way)
{
	struct iovec part = {sink, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	switch (way) {
	case 0:
		return recv(pair[0], sink, 1, 0);
	case 1:
		return recvfrom(pair[0], sink, 1, MSG_WAITALL, NULL, NULL);
	case 2:
		return read(pair[0], sink, 1);
	case 3:
		return readv(pair[0], &part, 1);
	default:
		return recvmsg(pair[0], &message, 0);
	}
}

static void
look(const struct hub_connection *connection, void *context)
{
	*(bool *)context = connection->is_asked;
}

/* Whether something has come since something was last sent, as far as the hub knows. */
static bool
is_asked(void)
{
	bool is = false;

	hub_server_visit(server, look, &is);
	return is;
}

static void
serve(int client, void *context)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	(void)context;
	pair[0] = client;
	getpeername(client, (struct sockaddr *)&address, &size);
	traffic_begin(client, &traffic);
	for (int way = 0; way < RECEIVES; way++) {
		hub_note_sent(client);
		send(pair[1], "x", 1, 0);
		is_told[way] = receive_one(way) == 1 && is_asked();
	}
	for (int way = 0; way < SENDS; way++) {
		hub_note_received(client);
		is_told[RECEIVES + way] =
			send_one(way, (struct sockaddr *)&address, size) == 1 && !is_asked();
	}
	send(pair[1], "x", 1, 0);
	recv(client, sink, 1, MSG_PEEK);
	traffic_end(client, &traffic);
}

static void *
told_body(void *argument)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	int listener = hub_create_server("127.0.0.1", "0", 0);

	server = hub_stream_server_new(listener, serve, NULL, NULL);
	getsockname(listener, (struct sockaddr *)&address, &size);
	pair[1] = hub_socket(AF_INET, SOCK_STREAM, 0);
	hub_connect(pair[1], (struct sockaddr *)&address, size);
	hub_server_start(server);
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
	hub_close(pair[1]);
	return argument;
}

Test(send, the_hub_is_told_of_bytes_by_each_call)
{
	hub_patch_all();
	in_hub(told_body, NULL);
	for (int i = 0; i < RECEIVES + SENDS; i++)
		cr_assert(is_told[i], "%s %d", i < RECEIVES ? "receive" : "send",
			i < RECEIVES ? i : i - RECEIVES);
	cr_assert_eq(traffic.received, RECEIVES);
	cr_assert_eq(traffic.sent, SENDS);
}

/* ---- the first bytes along with the connecting ---- */

static struct sockaddr_in
any_address(int *listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;

	*listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(*listener, (struct sockaddr *)&address, size);
	getsockname(*listener, (struct sockaddr *)&address, &size);
	return address;
}

static ssize_t
send_first(int fd, struct sockaddr_in *address, int way)
{
	struct iovec parts[] = {{"he", 2}, {"llo", 3}};
	struct msghdr message = {.msg_name = address,
		.msg_namelen = sizeof *address,
		.msg_iov = parts,
		.msg_iovlen = 2};

	if (way == 0)
		return sendto(
			fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)address, sizeof *address);
	return sendmsg(fd, &message, MSG_FASTOPEN);
}

struct fast {
	ssize_t sent[2], refused[2];
	int errors[2];
	char got[2][6];
};

static void *
open_fast(void *argument)
{
	struct fast *fast = argument;

	for (int way = 0; way < 2; way++) {
		int listener, fd = socket(AF_INET, SOCK_STREAM, 0), client;
		struct sockaddr_in address = any_address(&listener);

		fast->refused[way] = send_first(fd, &address, way);
		fast->errors[way] = errno;
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		listen(listener, 1);
		fast->sent[way] = send_first(fd, &address, way);
		client = accept(listener, NULL, NULL);
		recv(client, fast->got[way], 5, MSG_WAITALL);
		close(client);
		close(fd);
		close(listener);
	}
	return NULL;
}

Test(send, may_connect_first)
{
	struct fast fast = {0};

	hub_patch_all();
	in_hub(open_fast, &fast);
	for (int way = 0; way < 2; way++) {
		cr_expect(fast.refused[way] == -1 && fast.errors[way] == ECONNREFUSED, "%zd %d",
			fast.refused[way], fast.errors[way]);
		cr_expect_eq(fast.sent[way], 5);
		cr_expect_str_eq(fast.got[way], "hello");
	}
}
