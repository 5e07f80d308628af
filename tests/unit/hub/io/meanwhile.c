/* Every call of the hub that takes a descriptor and may switch, what it returns when that is closed
 * meanwhile, and the scene in which it waits. */
#include "tests/unit/hub/io/meanwhile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

char meanwhile_bytes[BIG];

/* ---- the calls ---- */

static long
call_recv(struct scene *s)
{
	char byte;

	return hub_recv(s->fd, &byte, 1, 0);
}

static long
call_recv_all(struct scene *s)
{
	char ten[10];

	return hub_recv(s->fd, ten, sizeof ten, MSG_WAITALL);
}

static long
call_recvfrom(struct scene *s)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	char byte;

	return hub_recvfrom(s->fd, &byte, 1, 0, (struct sockaddr *)&address, &length);
}

static long
call_recvmsg(struct scene *s)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return hub_recvmsg(s->fd, &message, 0);
}

static long
call_read(struct scene *s)
{
	char byte;

	return hub_read(s->fd, &byte, 1);
}

static long
call_readv(struct scene *s)
{
	char two[2];
	struct iovec parts[] = {{two, 1}, {two + 1, 1}};

	return hub_readv(s->fd, parts, 2);
}

static long
call_send(struct scene *s)
{
	return hub_send(s->fd, meanwhile_bytes, BIG, 0);
}

static long
call_sendto(struct scene *s)
{
	return hub_sendto(s->fd, meanwhile_bytes, BIG, 0, NULL, 0);
}

/* Pieces of which many fit, and all do not. */
static struct msghdr
pieces(struct iovec parts[10])
{
	for (int i = 0; i < 10; i++)
		parts[i] = (struct iovec){meanwhile_bytes + (size_t)i * (BIG / 10), BIG / 10};
	return (struct msghdr){.msg_iov = parts, .msg_iovlen = 10};
}

static long
call_sendmsg(struct scene *s)
{
	struct iovec parts[10];
	struct msghdr message = pieces(parts);

	return hub_sendmsg(s->fd, &message, 0);
}

static long
call_write(struct scene *s)
{
	return hub_write(s->fd, meanwhile_bytes, BIG);
}

static long
call_writev(struct scene *s)
{
	struct iovec parts[10];

	pieces(parts);
	return hub_writev(s->fd, parts, 10);
}

static long
call_sendfile(struct scene *s)
{
	off_t offset = 0;

	return hub_sendfile(s->fd, s->file, &offset, BIG);
}

static long
call_sendfile_on(struct scene *s)
{
	lseek(s->file, 0, SEEK_SET);
	return hub_sendfile(s->fd, s->file, NULL, BIG);
}

static long
call_shutdown(struct scene *s)
{
	return hub_shutdown(s->fd, SHUT_WR);
}

static long
call_wait_in(struct scene *s)
{
	return hub_wait_fd(s->fd, POLLIN);
}

static long
call_wait_out(struct scene *s)
{
	return hub_wait_fd(s->fd, POLLOUT);
}

static long
call_await(struct scene *s)
{
	return hub_await_fd(s->fd, POLLIN, HUB_FOREVER);
}

static long
poll_for(struct scene *s, short events)
{
	struct pollfd fds[] = {{s->fd, events, 0}, {-1, 0, 0}};
	int ready = hub_poll(fds, 2, -1);

	errno = fds[0].revents == POLLNVAL ? EBADF : 0;
	return ready;
}

static long
call_poll_in(struct scene *s)
{
	return poll_for(s, POLLIN);
}

static long
call_poll_out(struct scene *s)
{
	return poll_for(s, POLLOUT);
}

static long
call_select(struct scene *s)
{
	struct hub_event never = {0};
	struct hub_case cases[] = {hub_case_event(&never), hub_case_fd(s->fd, POLLIN)};
	int index = hub_select(cases, 2, HUB_FOREVER);

	errno = index >= 0 ? cases[index].error : errno;
	return index;
}

static long
call_accept(struct scene *s)
{
	return hub_accept(s->fd, NULL, NULL);
}

static long
call_connect(struct scene *s)
{
	return hub_connect(s->fd, (struct sockaddr *)&s->crowded, s->crowded_length);
}

static long
call_tls_accept(struct scene *s)
{
	return hub_tls_accept(s->fd, s->server);
}

static long
call_tls_connect(struct scene *s)
{
	return hub_tls_connect(s->fd, s->client, NULL);
}

const struct call meanwhile_calls[] = {
	{"recv", call_recv, IDLE, SOCKETS, true, true, -1, EBADF},
	{"recv all, idle", call_recv_all, IDLE, SOCKETS, true, true, -1, EBADF},
	{"recv all, half", call_recv_all, HALF, SOCKETS, false, false, PART, 0},
	{"recvfrom", call_recvfrom, IDLE, SOCKETS, true, true, -1, EBADF},
	{"recvmsg", call_recvmsg, IDLE, SOCKETS, true, true, -1, EBADF},
	{"read", call_read, IDLE, ALL, true, true, -1, EBADF},
	{"readv", call_readv, IDLE, ALL, true, true, -1, EBADF},
	{"send, full", call_send, FULL, SOCKETS, true, true, -1, EBADF},
	{"sendto, full", call_sendto, FULL, SOCKETS, true, true, -1, EBADF},
	{"sendmsg, full", call_sendmsg, FULL, SOCKETS, true, true, -1, EBADF},
	{"write, full", call_write, FULL, ALL, true, true, -1, EBADF},
	{"writev, full", call_writev, FULL, ALL, true, true, -1, EBADF},
	{"sendfile, full", call_sendfile, FULL, SOCKETS, false, true, -1, EBADF},
	{"sendfile on, full", call_sendfile_on, FULL, SOCKETS, false, false, -1, EBADF},
	{"send", call_send, ROOM, SOCKETS, false, true, PART, 0},
	{"sendto", call_sendto, ROOM, SOCKETS, false, true, PART, 0},
	{"sendmsg", call_sendmsg, ROOM, SOCKETS, false, true, PART, 0},
	{"write", call_write, ROOM, ALL, false, true, PART, 0},
	{"writev", call_writev, ROOM, ALL, false, true, PART, 0},
	{"sendfile", call_sendfile, ROOM, SOCKETS, false, true, PART, 0},
	{"sendfile on", call_sendfile_on, ROOM, SOCKETS, false, false, PART, 0},
	{"shutdown", call_shutdown, FULL, TLS, false, true, -1, EBADF},
	{"wait to receive", call_wait_in, IDLE, ALL, true, true, -1, EBADF},
	{"wait to send", call_wait_out, FULL, ALL, true, true, -1, EBADF},
	{"await", call_await, IDLE, ALL, false, true, -1, EBADF},
	{"poll to receive", call_poll_in, IDLE, ALL, true, true, 1, EBADF},
	{"poll to send", call_poll_out, FULL, ALL, true, true, 1, EBADF},
	{"select", call_select, IDLE, ALL, true, true, 1, EBADF},
	{"accept", call_accept, LISTENING, PLAIN, true, true, -1, EBADF},
	{"connect", call_connect, CROWDED, PLAIN, false, false, -1, EBADF},
	{"tls accept", call_tls_accept, FRESH, PLAIN, false, false, -1, EBADF},
	{"tls connect", call_tls_connect, FRESH, PLAIN, false, false, -1, EBADF},
	{.name = NULL},
};

/* ---- the scene ---- */

int
meanwhile_listen(int backlog)
{
	struct sockaddr_un anywhere = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Without a name it is given one that nobody has. */
	bind(fd, (struct sockaddr *)&anywhere, sizeof anywhere.sun_family);
	listen(fd, backlog);
	return fd;
}

int
meanwhile_connect(int listener)
{
	struct sockaddr_un address;
	socklen_t length = sizeof address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	if (connect(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

static void *
accept_side(void *argument)
{
	struct scene *s = argument;

	return (void *)(intptr_t)hub_tls_accept(s->fd, s->server);
}

static bool
is_sent_to(enum state state)
{
	return state == FULL || state == ROOM;
}

static void
make_pipe(struct scene *s, enum state state)
{
	int ends[2];

	pipe2(ends, O_CLOEXEC | O_NONBLOCK);
	s->fd = ends[is_sent_to(state)];
	s->peer = ends[!is_sent_to(state)];
}

static void
make_pair(struct scene *s)
{
	struct hub_coroutine *server;
	int pair[2], size = 20000;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	s->fd = pair[0];
	s->peer = pair[1];
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (s->kind != TLS)
		return;
	server = hub_spawn(accept_side, s);
	hub_tls_connect(s->peer, s->client, NULL);
	hub_join(server, NULL);
}

static void
make_crowd(struct scene *s)
{
	int listener = meanwhile_listen(0);

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->peer = listener;
	s->crowded_length = sizeof s->crowded;
	getsockname(listener, (struct sockaddr *)&s->crowded, &s->crowded_length);
	s->crowd_count = 0;
	while (s->crowd_count < 8 && (s->crowd[s->crowd_count] = meanwhile_connect(listener)) != -1)
		s->crowd_count++;
}

void
meanwhile_set_scene(struct scene *s, enum state state)
{
	if (state == CROWDED) {
		make_crowd(s);
	} else if (state == LISTENING) {
		s->fd = meanwhile_listen(8);
		s->peer = -1;
	} else if (s->kind == PIPE) {
		make_pipe(s, state);
	} else {
		make_pair(s);
	}
	if (state == HALF)
		hub_send(s->peer, "abc", 3, 0);
	while (state == FULL &&
		(s->kind == PIPE ? write(s->fd, meanwhile_bytes, BIG)
				 : hub_send(s->fd, meanwhile_bytes, 1000, MSG_DONTWAIT)) > 0)
		continue;
}
