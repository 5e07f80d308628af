/* Receiving: without a wait nobody else runs, peeking takes nothing, and an error is told, if not
 * by the call that meets it. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int pair[2];

static struct {
	int runs;      /* of another coroutine, so far */
	int disturbed; /* those in the meantime */
	long transfers;
} quiet;

static void *
count_runs(void *argument)
{
	while (hub_sleep(0) == 0)
		quiet.runs++;
	return argument;
}

static void *
no_switch_body(void *argument)
{
	struct hub_coroutine *other = hub_spawn(count_runs, NULL);
	int64_t began = hub_now();
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	/* Far longer than a slice, however slow. */
	while (hub_now() - began < 20 * HUB_MILLISECOND || quiet.transfers <= 1000) {
		quiet.transfers += hub_send(pair[0], "x", 1, MSG_DONTWAIT) == 1;
		quiet.transfers += hub_recv(pair[1], &byte, 1, MSG_DONTWAIT) == 1;
	}
	quiet.disturbed = quiet.runs;
	hub_kill(other);
	hub_join(other, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

/* Services share a buffer between coroutines on the strength of this. */
Test(receive, dontwait_never_lets_another_coroutine_run)
{
	in_hub(no_switch_body, NULL);
	cr_assert_gt(quiet.transfers, 1000);
	cr_assert_eq(quiet.disturbed, 0);
}

static void *
peek_all_body(void *argument)
{
	char bytes[6];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_send(pair[1], "ab", 2, 0);
	trace_call("peek", hub_recv(pair[0], bytes, 6, MSG_PEEK | MSG_WAITALL));
	trace_call("recv", hub_recv(pair[0], bytes, 6, 0));
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(receive, peeking_for_all_does_not_read_the_same_bytes_again)
{
	in_hub(peek_all_body, NULL);
	cr_assert_str_eq(trace_text(), "peek 2, recv 2");
}

/* ---- a reset in the middle of a call ---- */

/* A TCP connection in pair. */
static void
connect_pair(void)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	int listener = hub_create_server("127.0.0.1", "0", 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	pair[0] = hub_socket(AF_INET, SOCK_STREAM, 0);
	hub_connect(pair[0], (struct sockaddr *)&address, length);
	pair[1] = hub_accept(listener, NULL, NULL);
	hub_close(listener);
}

static void
reset_peer(void)
{
	struct linger none = {.l_onoff = 1};

	setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &none, sizeof none);
	hub_close(pair[1]);
}

static void *
receive_all_six(void *argument)
{
	char bytes[6];

	trace_call("all six", hub_recv(pair[0], bytes, 6, MSG_WAITALL));
	trace_call("then", hub_recv(pair[0], bytes, 6, 0));
	trace_call("then", hub_recv(pair[0], bytes, 6, 0));
	return argument;
}

static void *
reset_body(void *argument)
{
	struct hub_coroutine *waiter;

	connect_pair();
	hub_send(pair[1], "abc", 3, 0);
	/* A network may lose what is on its way, once its sender is gone. */
	hub_wait_fd(pair[0], POLLIN);
	waiter = hub_spawn(receive_all_six, NULL);
	until_it_waits(waiter);
	reset_peer();
	hub_join(waiter, NULL);
	hub_close(pair[0]);
	return argument;
}

/* As in the kernel, which keeps the error while it has bytes to return. */
Test(receive, a_reset_after_a_part_is_no_end_of_the_stream)
{
	in_hub(reset_body, NULL);
	cr_assert_str_eq(trace_text(), "all six 3, then ECONNRESET, then 0");
}

static void *
send_until_reset(void *argument)
{
	static char bytes[32 << 20]; /* more than the buffers of any machine */
	ssize_t sent = hub_send(pair[0], bytes, sizeof bytes, 0);

	trace_whether("a part is sent", sent > 0 && (size_t)sent < sizeof bytes);
	return argument;
}

static void *
reset_sender_body(void *argument)
{
	struct hub_coroutine *sender;
	char byte;

	connect_pair();
	sender = hub_spawn(send_until_reset, NULL);
	until_it_waits(sender);
	reset_peer();
	hub_join(sender, NULL);
	trace_call("recv", hub_recv(pair[0], &byte, 1, 0));
	hub_close(pair[0]);
	return argument;
}

Test(receive, a_reset_that_a_sender_has_met_is_no_end_of_the_stream)
{
	in_hub(reset_sender_body, NULL);
	cr_assert_str_eq(trace_text(), "a part is sent, recv ECONNRESET");
}
