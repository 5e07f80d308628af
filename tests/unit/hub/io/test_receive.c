/* Receiving: without a wait nobody else runs, and peeking takes nothing. */
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
