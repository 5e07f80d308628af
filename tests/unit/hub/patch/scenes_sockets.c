/* Calls of sockets: of a pair whose other end is read or written, of sets, of connections. */
#include "tests/unit/hub/patch/scenes.h"
#include <errno.h>
#include <hubbub/hub.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ALL sizeof((struct scene *)0)->buffer

static void
make_pair(struct scene *s)
{
	socketpair(AF_UNIX, SOCK_STREAM, 0, s->ends);
}

static void
write_to_it(struct scene *s)
{
	send(s->ends[1], "hello", 5, 0);
}

/* Until nothing more goes in. */
static void
make_full(struct scene *s)
{
	make_pair(s);
	while (send(s->ends[0], s->buffer, sizeof s->buffer, MSG_DONTWAIT) > 0)
		continue;
}

/* All that comes, until the call has ended. */
static void
read_from_it(struct scene *s)
{
	static char sink[1 << 16];

	while (!s->has_ended)
		if (recv(s->ends[1], sink, sizeof sink, MSG_DONTWAIT) <= 0)
			hub_sleep(0);
}

static void
call_read(struct scene *s)
{
	SCENE_CALL(s, read(s->ends[0], s->buffer, 100));
}

static void
call_readv(struct scene *s)
{
	struct iovec parts[] = {{s->buffer, 2}, {s->buffer + 2, 98}};

	SCENE_CALL(s, readv(s->ends[0], parts, 2));
}

static void
call_preadv2_stream(struct scene *s)
{
	struct iovec part = {s->buffer, 100};

	SCENE_CALL(s, preadv2(s->ends[0], &part, 1, -1, 0));
}

static void
call_recv(struct scene *s)
{
	SCENE_CALL(s, recv(s->ends[0], s->buffer, 100, 0));
}

static void
call_recvfrom(struct scene *s)
{
	SCENE_CALL(s, recvfrom(s->ends[0], s->buffer, 100, 0, NULL, NULL));
}

static void
call_recvmsg(struct scene *s)
{
	struct iovec part = {s->buffer, 100};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	SCENE_CALL(s, recvmsg(s->ends[0], &message, 0));
}

static void
call_recvmmsg(struct scene *s)
{
	struct iovec part = {s->buffer, 100};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};

	SCENE_CALL(s, recvmmsg(s->ends[0], messages, 2, MSG_WAITFORONE, NULL));
	if (s->result == 1)
		s->result = messages[0].msg_len;
}

static void
call_write(struct scene *s)
{
	SCENE_CALL(s, write(s->ends[0], s->buffer, sizeof s->buffer));
}

static void
call_writev(struct scene *s)
{
	struct iovec parts[] = {{s->buffer, 10}, {s->buffer, sizeof s->buffer - 10}};

	SCENE_CALL(s, writev(s->ends[0], parts, 2));
}

static void
call_send(struct scene *s)
{
	SCENE_CALL(s, send(s->ends[0], s->buffer, sizeof s->buffer, MSG_NOSIGNAL));
}

static void
call_sendto(struct scene *s)
{
	SCENE_CALL(s, sendto(s->ends[0], s->buffer, sizeof s->buffer, 0, NULL, 0));
}

static void
call_sendmsg(struct scene *s)
{
	struct iovec parts[] = {{s->buffer, 10}, {s->buffer, sizeof s->buffer - 10}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	SCENE_CALL(s, sendmsg(s->ends[0], &message, 0));
}

static void
call_sendmmsg(struct scene *s)
{
	struct iovec part = {s->buffer, sizeof s->buffer};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	SCENE_CALL(s, sendmmsg(s->ends[0], &message, 1, 0));
	if (s->result == 1)
		s->result = message.msg_len;
}

static void
make_full_and_file(struct scene *s)
{
	make_full(s);
	s->extra = scene_file(s);
}

static void
call_sendfile(struct scene *s)
{
	off_t offset = 0;

	SCENE_CALL(s, sendfile(s->ends[0], s->extra, &offset, sizeof s->buffer));
}

static void
call_poll(struct scene *s)
{
	struct pollfd query = {s->ends[0], POLLIN, 0};

	SCENE_CALL(s, poll(&query, 1, -1));
	s->result = s->result == 1 ? query.revents : s->result;
}

static void
call_ppoll(struct scene *s)
{
	struct timespec timeout = {10, 0};
	struct pollfd query = {s->ends[0], POLLIN, 0};

	SCENE_CALL(s, ppoll(&query, 1, &timeout, NULL));
	s->result = s->result == 1 ? query.revents : s->result;
}

static void
call_select(struct scene *s)
{
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(s->ends[0], &reads);
	SCENE_CALL(s, select(s->ends[0] + 1, &reads, NULL, NULL, NULL));
}

static void
call_pselect(struct scene *s)
{
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(s->ends[0], &reads);
	SCENE_CALL(s, pselect(s->ends[0] + 1, &reads, NULL, NULL, NULL, NULL));
}

static void
make_epoll(struct scene *s)
{
	struct epoll_event event = {.events = EPOLLIN};

	make_pair(s);
	s->extra = s->ends[0];
	s->ends[0] = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(s->ends[0], EPOLL_CTL_ADD, s->extra, &event);
}

static void
call_epoll_wait(struct scene *s)
{
	struct epoll_event event;

	SCENE_CALL(s, epoll_wait(s->ends[0], &event, 1, -1));
}

static void
call_epoll_pwait(struct scene *s)
{
	struct epoll_event event;

	SCENE_CALL(s, epoll_pwait(s->ends[0], &event, 1, 10000, NULL));
}

static void
call_epoll_pwait2(struct scene *s)
{
	struct timespec timeout = {10, 0};
	struct epoll_event event;

	SCENE_CALL(s, epoll_pwait2(s->ends[0], &event, 1, &timeout, NULL));
}

static pid_t listener_owner;

static void
make_listener(struct scene *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	/* An abstract name, that of the process. */
	listener_owner = getpid();
	snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-calls-%d",
		listener_owner);
	s->ends[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(s->ends[0], (struct sockaddr *)&address, sizeof address);
	listen(s->ends[0], 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	s->ends[1] = fd;
}

static struct sockaddr_un
listener_address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-calls-%d",
		listener_owner);
	return address;
}

static void
connect_to_it(struct scene *s)
{
	struct sockaddr_un address = listener_address();

	connect(s->ends[1], (struct sockaddr *)&address, sizeof address);
}

static void
call_accept(struct scene *s)
{
	SCENE_CALL(s, accept(s->ends[0], NULL, NULL));
	if (s->result >= 0)
		close((int)s->result), s->result = 1;
}

static void
call_accept4(struct scene *s)
{
	SCENE_CALL(s, accept4(s->ends[0], NULL, NULL, SOCK_CLOEXEC));
	if (s->result >= 0)
		close((int)s->result), s->result = 1;
}

/* A backlog that is full. */
static void
make_busy_listener(struct scene *s)
{
	make_listener(s);
	connect_to_it(s);
	s->extra = socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
call_connect(struct scene *s)
{
	struct sockaddr_un address = listener_address();

	SCENE_CALL(s, connect(s->extra, (struct sockaddr *)&address, sizeof address));
}

static void
accept_it(struct scene *s)
{
	close(accept(s->ends[0], NULL, NULL));
}

const struct scene_case scenes_of_sockets[] = {
	{"read", make_pair, call_read, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"readv", make_pair, call_readv, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"preadv2", make_pair, call_preadv2_stream, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"recv", make_pair, call_recv, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"recvfrom", make_pair, call_recvfrom, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"recvmsg", make_pair, call_recvmsg, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"recvmmsg", make_pair, call_recvmmsg, write_to_it, 5, SCENE_WAITS_FOR_FD},
	{"write", make_full, call_write, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"writev", make_full, call_writev, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"send", make_full, call_send, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"sendto", make_full, call_sendto, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"sendmsg", make_full, call_sendmsg, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"sendmmsg", make_full, call_sendmmsg, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"sendfile", make_full_and_file, call_sendfile, read_from_it, ALL, SCENE_WAITS_FOR_FD},
	{"poll", make_pair, call_poll, write_to_it, POLLIN, 0},
	{"ppoll", make_pair, call_ppoll, write_to_it, POLLIN, 0},
	{"select", make_pair, call_select, write_to_it, 1, SCENE_WAITS_FOR_FD},
	{"pselect", make_pair, call_pselect, write_to_it, 1, SCENE_WAITS_FOR_FD},
	{"epoll_wait", make_epoll, call_epoll_wait, write_to_it, 1, SCENE_WAITS_FOR_FD},
	{"epoll_pwait", make_epoll, call_epoll_pwait, write_to_it, 1, SCENE_WAITS_FOR_FD},
	{"epoll_pwait2", make_epoll, call_epoll_pwait2, write_to_it, 1, SCENE_WAITS_FOR_FD},
	{"accept", make_listener, call_accept, connect_to_it, 1, SCENE_WAITS_FOR_FD},
	{"accept4", make_listener, call_accept4, connect_to_it, 1, SCENE_WAITS_FOR_FD},
	{"connect", make_busy_listener, call_connect, accept_it, 0, 0},
	{0},
};
