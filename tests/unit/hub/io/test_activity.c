/* What the hub knows of a connection: requests, answers, times, and whoever waits to receive. */
#include "hub/io/activity.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/stream.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int pair[2];

static void
open_pair(void)
{
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hub_adopt(pair[0]);
}

static void
close_pair(void)
{
	hub_close(pair[0]);
	hub_close(pair[1]);
}

/* Says all that is known of one end. */
static void
say_activity(const char *when)
{
	struct fd_activity seen = fd_activity(pair[0]);

	trace_say("%s:%s%s%s%s%s%s%s%s%s", when, seen.has_come ? " come" : "",
		seen.is_asked ? " asked" : "", seen.is_new ? " new" : "",
		seen.has_sent ? " sent" : "", seen.is_busy ? " busy" : "",
		seen.is_settled ? " settled" : "", seen.is_receiving ? " receiving" : "",
		seen.is_sending ? " sending" : "", seen.has_ended ? " ended" : "");
}

/* ---- what goes over it ---- */

static void *
exchange_body(void *argument)
{
	char bytes[8];

	open_pair();
	say_activity("begins");
	say_activity("idle");
	hub_send(pair[1], "half", 4, 0);
	hub_recv(pair[0], bytes, 4, 0);
	say_activity("a half");
	hub_send(pair[1], "more", 4, 0);
	hub_recv(pair[0], bytes, 4, 0);
	say_activity("the same request");
	hub_send(pair[0], "answer", 6, 0);
	say_activity("answered");
	/* By calls that are none of the hub's. */
	hub_note_received(pair[0]);
	say_activity("another request");
	hub_note_sent(pair[0]);
	say_activity("its answer");
	fd_begin_anew(pair[0]);
	shutdown(pair[1], SHUT_WR);
	trace_call("recv", hub_recv(pair[0], bytes, 4, 0));
	say_activity("an end is no request");
	hub_note_received(pair[0]);
	fd_set_busy(pair[0], 7);
	fd_set_busy(pair[0], 8);
	hub_send(pair[0], "x", 1, 0);
	say_activity("its word");
	hub_note_received(pair[0]);
	trace_whether("told", fd_set_idle(pair[0]) == 7);
	trace_whether("once", fd_set_idle(pair[0]) == 0 && fd_end_busy(pair[0]) == 0);
	say_activity("its last word");
	fd_set_busy(-1, 9);
	trace_whether("nobody", fd_end_busy(-1) == 0 && fd_set_idle(-1) == 0);
	fd_begin_anew(100000);
	hub_note_sent(-1);
	hub_close(pair[0]);
	say_activity("unknown");
	trace_whether("active", fd_activity(pair[0]).active_at != 0);
	hub_close(pair[1]);
	return argument;
}

Test(activity, is_told_of_requests_and_answers)
{
	in_hub(exchange_body, NULL);
	cr_assert_str_eq(trace_text(),
		"begins: sent, idle:, a half: come asked new, the same request: come asked, "
		"answered: come sent, another request: come asked new, its answer: come sent, "
		"recv 0, an end is no request: sent, "
		"its word: come sent busy, told, once, "
		"its last word: come settled, nobody, unknown:, not active");
}

static struct {
	int64_t begins, received, sent, waited;
} active_at;

static void *
times_body(void *argument)
{
	char byte;

	open_pair();
	active_at.begins = fd_activity(pair[0]).active_at;
	hub_sleep(2 * HUB_MILLISECOND);
	hub_send(pair[1], "a", 1, 0);
	hub_recv(pair[0], &byte, 1, 0);
	active_at.received = fd_activity(pair[0]).active_at;
	hub_sleep(2 * HUB_MILLISECOND);
	hub_send(pair[0], "b", 1, 0);
	active_at.sent = fd_activity(pair[0]).active_at;
	/* Waiting is no activity. */
	hub_sleep(2 * HUB_MILLISECOND);
	hub_await_fd(pair[0], POLLIN, HUB_MILLISECOND);
	active_at.waited = fd_activity(pair[0]).active_at;
	close_pair();
	return argument;
}

Test(activity, counts_from_the_last_byte_of_either_direction)
{
	in_hub(times_body, NULL);
	cr_assert_geq(active_at.received - active_at.begins, 2 * HUB_MILLISECOND);
	cr_assert_geq(active_at.sent - active_at.received, 2 * HUB_MILLISECOND);
	cr_assert_eq(active_at.waited, active_at.sent);
}

/* ---- what a stream holds ---- */

static void *
read_lines(void *argument)
{
	struct hub_stream *stream = hub_stream_new(pair[0], NULL);

	while (hub_stream_read_line(stream, NULL) != NULL)
		hub_send(pair[0], "answer", 6, 0);
	hub_stream_free(stream);
	return argument;
}

static void *
part_body(void *argument)
{
	struct hub_coroutine *reader;

	open_pair();
	reader = hub_spawn(read_lines, argument);
	hub_send(pair[1], "one\ntw", 6, 0);
	hub_sleep(20 * HUB_MILLISECOND);
	say_activity("a part");
	say_activity("the same");
	hub_send(pair[0], "push", 4, 0);
	say_activity("pushed");
	hub_send(pair[1], "o\n", 2, 0);
	hub_sleep(20 * HUB_MILLISECOND);
	say_activity("answered");
	hub_send(pair[1], "thr", 3, 0);
	hub_sleep(20 * HUB_MILLISECOND);
	hub_send(pair[0], "push", 4, 0);
	hub_kill(reader);
	hub_join(reader, NULL);
	say_activity("nobody reads");
	close_pair();
	return argument;
}

Test(activity, a_stream_that_waits_for_the_rest_is_asked_whatever_was_sent)
{
	in_hub(part_body, NULL);
	cr_assert_str_eq(trace_text(),
		"a part: come asked new sent receiving, the same: come asked receiving, "
		"pushed: come asked new sent receiving, answered: come sent receiving, "
		"nobody reads: come sent");
}

/* ---- how it is waited for, and told of the end of its input ---- */

static void
say_events(const char *name, int events)
{
	if (events == -1)
		trace_call(name, events);
	else
		trace_say("%s%s%s", name, events & POLLIN ? " readable" : "",
			events & POLLOUT ? " writable" : "");
}

static void *
wait_by_recv(void *argument)
{
	char byte;

	trace_call("recv", hub_recv(pair[0], &byte, 1, 0));
	return argument;
}

static void *
wait_by_wait_fd(void *argument)
{
	say_events("wait", hub_wait_fd(pair[0], POLLIN));
	say_events("wait for both", hub_wait_fd(pair[0], POLLIN | POLLOUT));
	return argument;
}

static void *
wait_by_poll(void *argument)
{
	struct pollfd query = {.fd = pair[0], .events = POLLIN};

	hub_poll(&query, 1, -1);
	say_events("poll", query.revents);
	query = (struct pollfd){.fd = pair[0], .events = POLLIN | POLLPRI};
	trace_call("poll again", hub_poll(&query, 1, 0));
	return argument;
}

static void *
wait_by_select(void *argument)
{
	struct hub_case one = {.kind = HUB_CASE_FD, .fd = pair[0], .events = POLLIN};

	trace_call("select", hub_select(&one, 1, HUB_FOREVER));
	trace_call("its error", one.error);
	return argument;
}

static void *
wait_by_set(void *argument)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(EPOLL_CLOEXEC);
	char byte;

	epoll_ctl(set, EPOLL_CTL_ADD, pair[0], &event);
	say_events("set", hub_wait_fd(set, POLLIN));
	/* To the kernel it has ended, too. */
	trace_call("recv of the kernel", recv(pair[0], &byte, 1, MSG_DONTWAIT));
	hub_close(set);
	return argument;
}

static hub_fn *const waits[] = {
	wait_by_recv, wait_by_wait_fd, wait_by_poll, wait_by_select, wait_by_set};

#define WAITS (sizeof waits / sizeof waits[0])

static void *
wait_body(void *argument)
{
	for (size_t i = 0; i < WAITS; i++) {
		struct hub_coroutine *waiter;

		open_pair();
		waiter = hub_spawn(waits[i], argument);
		until_it_waits(waiter);
		say_activity("waits");
		hub_end_input(pair[0]);
		hub_sleep(20 * HUB_MILLISECOND);
		trace_whether("ended", fd_activity(pair[0]).has_ended);
		hub_kill(waiter);
		hub_join(waiter, NULL);
		close_pair();
	}
	return NULL;
}

Test(activity, whoever_waits_to_receive_is_seen_and_told_of_the_end)
{
	in_hub(wait_body, NULL);
	cr_assert_str_eq(trace_text(),
		"waits: sent receiving, recv 0, ended, waits: sent receiving, wait readable, "
		"wait for both readable writable, ended, waits: sent receiving, poll readable, "
		"poll again 1, ended, waits: sent receiving, select 0, its error 0, ended, "
		"waits: sent receiving, set readable, recv of the kernel 0, ended");
}

static void *
other_waits_body(void *argument)
{
	static char many[1 << 20];
	struct hub_coroutine *sender;

	open_pair();
	say_activity("begins");
	while (hub_send(pair[0], many, sizeof many, MSG_DONTWAIT) > 0)
		continue;
	say_activity("full");
	sender = hub_spawn(wait_by_wait_fd, argument);
	until_it_waits(sender);
	hub_kill(sender);
	hub_join(sender, NULL);
	say_activity("killed");
	close_pair();
	return NULL;
}

Test(activity, whoever_does_not_wait_is_not_seen)
{
	in_hub(other_waits_body, NULL);
	cr_assert_str_eq(trace_text(),
		"begins: sent, full: sent, wait ECANCELED, wait for both ECANCELED, killed:");
}
