/* Calls on one end of a pair of file descriptors, of which the helper has the other end. The helper
 * acts either before a call or well after it has begun, so that no result depends on which thread
 * is faster. */
#include "tests/fuzz/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/helper.h"

enum { SIZE = 3000, LARGE = 600000, LATER = 4000 };

/* ---- two ends, which are new for each step ---- */

enum kind { UNIX_STREAM, UNIX_PACKETS, UNIX_DATAGRAMS, TCP, PIPE, KINDS };
static const char *const kinds[] = {"stream", "packets", "datagrams", "tcp", "pipe"};
static enum kind kind;
static int ends[2]; /* this thread uses the first; the helper the second */
static bool is_timed, is_nonblocking;
static char buffer[LARGE];

static void
open_tcp(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	bind(listener, (struct sockaddr *)&address, length);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&address, &length);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	connect(ends[0], (struct sockaddr *)&address, length);
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
}

static void
open_ends(bool writes)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
	struct timeval time = {0, 3000};
	int pipes[2];

	kind = below(KINDS);
	if (kind == TCP) {
		open_tcp();
	} else if (kind == PIPE) {
		if (pipe(pipes) != 0)
			abort();
		ends[0] = pipes[writes];
		ends[1] = pipes[!writes];
	} else if (socketpair(AF_UNIX, types[kind], 0, ends) != 0) {
		abort();
	}
	is_timed = kind != PIPE && below(4) == 0;
	is_nonblocking = below(6) == 0;
	if (is_timed)
		setsockopt(ends[0], SOL_SOCKET, writes ? SO_SNDTIMEO : SO_RCVTIMEO, &time,
			sizeof time);
	if (is_nonblocking)
		fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK);
}

static void
close_ends(void)
{
	close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
}

static void
tell_flags(void)
{
	printf("  %s%s%s, flags %x\n", kinds[kind], is_timed ? ", timed" : "",
		is_nonblocking ? ", non-blocking" : "", (unsigned)fcntl(ends[0], F_GETFL));
}

static void
tell_bytes(size_t size)
{
	size_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = sum * 31 + (unsigned char)buffer[i];
	printf("  bytes %zu\n", sum);
}

/* ---- acts ---- */

/* Lets the helper act before the call, or while the call waits. Returns whether something will
 * arrive. */
static bool
begin_act(enum act_kind act, size_t size, bool may_wait)
{
	bool is_later = may_wait && !is_timed && below(2);
	struct act begun = {
		.kind = act, .fd = ends[1], .size = size, .microseconds = is_later ? LATER : 0};

	if (act == ACT_CLOSE)
		ends[1] = -1;
	printf("  act %d of %zu, %s\n", (int)act, size, is_later ? "later" : "before");
	helper_begin(&begun);
	/* A helper that reads waits for the call itself. */
	if (!is_later && act != ACT_READ)
		helper_wait();
	return act != ACT_NONE;
}

/* ---- receiving ---- */

static void
receive(size_t size, int flags)
{
	struct iovec parts[3] = {
		{buffer, size / 3}, {NULL, 0}, {buffer + size / 3, size - size / 3}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
	unsigned how = kind == PIPE ? below(2) : flags != 0 ? 2 + below(3) : below(5);

	switch (how) {
	case 0:
		CALL(read(ends[0], buffer, size));
		break;
	case 1:
		CALL(readv(ends[0], parts, 3));
		break;
	case 2:
		CALL(recv(ends[0], buffer, size, flags));
		break;
	case 3:
		CALL(recvfrom(ends[0], buffer, size, flags, NULL, NULL));
		break;
	default:
		CALL(recvmsg(ends[0], &message, flags));
		printf("  message flags %x\n", (unsigned)message.msg_flags);
	}
}

void
calls_receive(void)
{
	static const int flags[] = {0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL};
	size_t sent = 1 + below(SIZE), size = below(4) == 0 ? 1 + below(SIZE) : SIZE;
	int flag = flags[below(7)];
	bool may_wait;

	open_ends(false);
	flag = kind == PIPE ? 0 : flag;
	may_wait = !is_nonblocking && flag != MSG_DONTWAIT;
	/* MSG_TRUNC of TCP throws bytes away; MSG_WAITALL waits for no more than will arrive. */
	if (kind == TCP && flag == MSG_TRUNC)
		flag = 0;
	if (flag == MSG_WAITALL && size > sent)
		size = sent;
	memset(buffer, '.', SIZE);
	if (below(4) == 0)
		begin_act(kind == PIPE || kind == UNIX_DATAGRAMS ? ACT_WRITE
			  : below(2)                             ? ACT_SHUT_DOWN
								 : ACT_CLOSE,
			sent, may_wait);
	else if (!is_timed && may_wait)
		begin_act(ACT_WRITE, sent, true);
	else
		begin_act(below(2) ? ACT_WRITE : ACT_NONE, sent, false);
	if (kind != PIPE || !is_nonblocking)
		receive(size, flag);
	helper_wait();
	tell_bytes(SIZE);
	tell_flags();
	close_ends();
}

/* ---- sending ---- */

static void
send_bytes(size_t size)
{
	struct iovec parts[2] = {{buffer, size / 3}, {buffer + size / 3, size - size / 3}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	unsigned how = kind == PIPE ? below(2) : below(4);

	switch (how) {
	case 0:
		CALL(write(ends[0], buffer, size));
		break;
	case 1:
		CALL(writev(ends[0], parts, 2));
		break;
	case 2:
		CALL(send(ends[0], buffer, size, 0));
		break;
	default:
		CALL(sendmsg(ends[0], &message, 0));
	}
}

void
calls_send(void)
{
	bool is_stream, is_large;
	size_t size = 1 + below(SIZE);

	open_ends(true);
	is_stream = kind == UNIX_STREAM || kind == TCP || kind == PIPE;
	is_large = is_stream && !is_timed && !is_nonblocking && below(2);
	memset(buffer, 's', sizeof buffer);
	if (is_large)
		size = LARGE;
	if (below(4) == 0 && kind != TCP)
		begin_act(ACT_CLOSE, 0, false);
	else if (is_large)
		begin_act(ACT_READ, size, true);
	send_bytes(size);
	helper_wait();
	tell_flags();
	close_ends();
}

/* ---- waiting ---- */

static const int waits[] = {0, 2, -1, 10000};

/* Returns how long the call may wait for what arrives, if anything does. */
static int
prepare_wait(void)
{
	int wait;

	open_ends(false);
	is_timed = false;
	wait = waits[below(4)];
	if (wait == 0 || wait == 2)
		begin_act(below(2) ? ACT_WRITE : ACT_NONE, 5, false);
	else if (kind == PIPE || kind == UNIX_DATAGRAMS || below(3) != 0)
		begin_act(ACT_WRITE, 5, true);
	else
		begin_act(below(2) ? ACT_SHUT_DOWN : ACT_CLOSE, 0, true);
	return wait;
}

void
calls_poll(void)
{
	static const short events[] = {POLLIN, POLLIN | POLLPRI, POLLIN | POLLRDHUP,
		POLLIN | POLLOUT, POLLRDNORM | POLLIN, POLLIN | POLLRDBAND};
	int wait = prepare_wait();
	struct pollfd fds[] = {
		{-1, POLLIN, 0}, {ends[0], events[below(6)], 0}, {ends[0], POLLIN, 0}};
	struct timespec time = {wait / 1000, wait % 1000 * 1000000};

	if (below(2))
		CALL(poll(fds, 3, wait));
	else
		CALL(ppoll(fds, 3, wait < 0 ? NULL : &time, NULL));
	printf("  %x %x %x\n", (unsigned)fds[0].revents, (unsigned)fds[1].revents,
		(unsigned)fds[2].revents);
	helper_wait();
	tell_flags();
	close_ends();
}

void
calls_select(void)
{
	int wait = prepare_wait(), count = ends[0] + 1;
	struct timeval time = {wait / 1000, wait % 1000 * 1000};
	struct timespec fine = {wait / 1000, wait % 1000 * 1000000};
	fd_set reads, writes, others;
	bool has_writes = below(4) == 0, has_others = below(2);

	FD_ZERO(&reads);
	FD_SET(ends[0], &reads);
	writes = others = reads;
	if (below(2))
		CALL(select(count, &reads, has_writes ? &writes : NULL, has_others ? &others : NULL,
			wait < 0 ? NULL : &time));
	else
		CALL(pselect(count, &reads, has_writes ? &writes : NULL,
			has_others ? &others : NULL, wait < 0 ? NULL : &fine, NULL));
	printf("  %d %d %d\n", FD_ISSET(ends[0], &reads) != 0,
		has_writes && FD_ISSET(ends[0], &writes), has_others && FD_ISSET(ends[0], &others));
	helper_wait();
	close_ends();
}

void
calls_epoll(void)
{
	int wait = prepare_wait(), set = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | (below(2) ? EPOLLET : 0), .data.u32 = 7},
			   got[2] = {{0}};

	CALL(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event));
	CALL(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event));
	CALL(epoll_wait(set, got, 2, wait));
	printf("  %x %u\n", (unsigned)got[0].events, got[0].data.u32);
	helper_wait();
	close(set);
	close_ends();
}
