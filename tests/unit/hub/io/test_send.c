/* Sending: all goes out however long it takes, and what an end of it tells. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

#define BIG ((size_t)3 << 20)

static int pair[2];
static char big[BIG];

static ssize_t
by_send(int fd)
{
	return hub_send(fd, big, BIG, 0);
}

static ssize_t
by_write(int fd)
{
	return hub_write(fd, big, BIG);
}

static ssize_t
by_writev(int fd)
{
	struct iovec parts[] = {{big, 1000}, {big + 1000, BIG - 2000}, {big + BIG - 1000, 1000}};

	return hub_writev(fd, parts, 3);
}

static ssize_t
by_sendmsg(int fd)
{
	struct iovec parts[] = {{big, 70000}, {big + 70000, BIG - 70000}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	return hub_sendmsg(fd, &message, 0);
}

static ssize_t
by_sendto(int fd)
{
	return hub_sendto(fd, big, BIG, 0, NULL, 0);
}

static const struct sender {
	const char *name;
	ssize_t (*send)(int fd);
} senders[] = {
	{"send", by_send},
	{"write", by_write},
	{"writev", by_writev},
	{"sendmsg", by_sendmsg},
	{"sendto", by_sendto},
};

enum { SENDERS = sizeof senders / sizeof senders[0] };

static int differences;

static void *
drain_pair(void *argument)
{
	static char buffer[100000];
	size_t total = 0;
	ssize_t received;

	while (total < BIG && (received = hub_recv(pair[1], buffer, sizeof buffer, 0)) > 0) {
		if (memcmp(buffer, big + total, (size_t)received) != 0)
			differences++;
		total += (size_t)received;
	}
	return argument;
}

static void *
big_body(void *argument)
{
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 4096);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (int i = 0; i < SENDERS; i++) {
		struct hub_coroutine *reader = hub_spawn(drain_pair, NULL);

		trace_say("%s %s", senders[i].name,
			senders[i].send(pair[0]) == (ssize_t)BIG ? "all" : "a part");
		hub_join(reader, NULL);
	}
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(send, sending_sends_all_however_long_it_takes, .timeout = 60)
{
	in_hub(big_body, NULL);
	cr_assert_str_eq(trace_text(), "send all, write all, writev all, sendmsg all, sendto all");
	cr_assert_eq(differences, 0);
}

static void *
partial_body(void *argument)
{
	struct hub_timeout scope;
	ssize_t sent;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_timeout_start(&scope, 100 * HUB_MILLISECOND);
	sent = hub_send(pair[0], big, BIG, 0);
	trace_whether("a part", sent > 0 && sent < (ssize_t)BIG);
	trace_call("send", hub_send(pair[0], big, BIG, 0));
	hub_timeout_stop(&scope);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(send, an_interrupted_send_tells_how_much_went_out)
{
	in_hub(partial_body, NULL);
	cr_assert_str_eq(trace_text(), "a part, send ETIMEDOUT");
}

static void *
dontwait_body(void *argument)
{
	char bytes[4];
	ssize_t sent;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	trace_call("recv", hub_recv(pair[0], bytes, sizeof bytes, MSG_DONTWAIT));
	do
		sent = hub_send(pair[0], big, BIG, MSG_DONTWAIT);
	while (sent > 0);
	trace_call("send", sent);
	hub_close(pair[1]);
	trace_call("send to nobody", hub_send(pair[0], "x", 1, 0));
	hub_close(pair[0]);
	return argument;
}

Test(send, dontwait_fails_with_eagain_and_a_closed_peer_with_epipe)
{
	in_hub(dontwait_body, NULL);
	cr_assert_str_eq(trace_text(), "recv EAGAIN, send EAGAIN, send to nobody EPIPE");
}

static void *
closed_peer_body(void *argument)
{
	int file = open("/proc/self/exe", O_RDONLY);
	struct iovec part = {"x", 1};
	off_t offset = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_close(pair[1]);
	trace_call("write", hub_write(pair[0], "x", 1));
	trace_call("writev", hub_writev(pair[0], &part, 1));
	trace_call("sendfile", hub_sendfile(pair[0], file, &offset, 1));
	hub_close(pair[0]);
	hub_close(file);
	return argument;
}

/* What the call makes pending is taken away, and what somebody else has made pending is kept. */
static void *
blocked_signal_body(void *argument)
{
	int file = open("/proc/self/exe", O_RDONLY);
	off_t offset = 0;
	sigset_t pipe, pending;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_close(pair[1]);
	for (int i = 0; i < 2; i++) {
		trace_call("sendfile", hub_sendfile(pair[0], file, &offset, 1));
		sigpending(&pending);
		trace_whether("pending", sigismember(&pending, SIGPIPE));
		pthread_kill(pthread_self(), SIGPIPE);
	}
	hub_close(pair[0]);
	hub_close(file);
	return argument;
}

Test(send, a_signal_that_was_pending_stays_so)
{
	in_hub(blocked_signal_body, NULL);
	cr_assert_str_eq(trace_text(), "sendfile EPIPE, not pending, sendfile EPIPE, pending");
}

Test(send, writing_to_a_closed_peer_raises_no_signal)
{
	in_hub(closed_peer_body, NULL);
	cr_assert_str_eq(trace_text(), "write EPIPE, writev EPIPE, sendfile EPIPE");
}
