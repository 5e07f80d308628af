/* Reading and receiving: all that was asked for, what is a number rather than bytes, and ends of
 * input that the hub says. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/ticker.h"

static char sink[64];
static int pair[2];

static void *
send_in_two(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	write(pair[1], "hello", 5);
	hub_sleep(5 * HUB_MILLISECOND);
	write(pair[1], "world", 5);
	return argument;
}

static void *
wait_for_all(void *argument)
{
	char first[3], second[7];
	struct iovec parts[] = {{first, 3}, {second, 7}}, none = {first, 0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	int event = eventfd(0, 0);
	uint64_t too_much = UINT64_MAX;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_detach(hub_spawn(send_in_two, NULL));
	trace_call("recvmsg", recvmsg(pair[0], &message, MSG_WAITALL));
	trace_say("%.3s|%.7s", first, second);
	hub_detach(hub_spawn(send_in_two, NULL));
	trace_call("recvfrom",
		recvfrom(pair[0], sink, 10, MSG_WAITALL, (struct sockaddr *)&address, &size));
	trace_call("readv of nothing", readv(pair[0], &none, 1));
	trace_call("too much for an event", write(event, &too_much, sizeof too_much));
	close(pair[0]);
	close(pair[1]);
	close(event);
	return argument;
}

TestSuite(receive, .timeout = 60);

Test(receive, all_is_waited_for_where_that_was_asked_for)
{
	hub_patch_all();
	in_hub(wait_for_all, NULL);
	EXPECT_TRACE("recvmsg 10, hel|loworld, recvfrom 10, readv of nothing 0, "
		     "too much for an event EINVAL");
}

/* ---- timers, signals and events ---- */

static void *
raise_later(void *argument)
{
	hub_sleep(10 * HUB_MILLISECOND);
	raise(SIGUSR2);
	eventfd_write(*(int *)argument, 5);
	return NULL;
}

static void *
read_events(void *argument)
{
	struct itimerspec when = {.it_value = {0, 10000000}};
	int timer = timerfd_create(CLOCK_MONOTONIC, 0), event = eventfd(0, 0), signals, before;
	struct signalfd_siginfo info;
	uint64_t count;
	sigset_t set;

	ticker_start();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, 0);
	timerfd_settime(timer, 0, &when, NULL);
	before = ticks;
	trace_call("timer", read(timer, &count, sizeof count));
	trace_say(ticks > before ? "others ran" : "nobody ran");
	hub_detach(hub_spawn(raise_later, &event));
	before = ticks;
	trace_call("signals are whole", read(signals, &info, sizeof info) == sizeof info);
	trace_say(ticks > before ? "others ran" : "nobody ran");
	trace_say("SIG%s", sigabbrev_np((int)info.ssi_signo));
	trace_call("event", read(event, &count, sizeof count));
	trace_say("of %d", (int)count);
	ticker_stop();
	close(timer);
	close(event);
	close(signals);
	return argument;
}

Test(receive, timers_signals_and_events_can_be_read)
{
	hub_patch_all();
	in_hub(read_events, NULL);
	EXPECT_TRACE("timer 8, others ran, signals are whole 1, others ran, SIGUSR2, event 8, "
		     "of 5");
}

/* ---- the end of input that the hub says ---- */

static void *
end_input(void *argument)
{
	struct pollfd query;
	struct iovec part = {sink, 16};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hub_adopt(pair[0]);
	query = (struct pollfd){.fd = pair[0], .events = POLLIN};
	write(pair[1], "last", 4);
	hub_end_input(pair[0]);
	/* What has arrived comes first. */
	trace_call("recv", recv(pair[0], sink, 16, MSG_DONTWAIT));
	trace_call("poll", poll(&query, 1, -1));
	trace_say("%s", query.revents == POLLIN ? "POLLIN" : "another event");
	trace_call("recv", recv(pair[0], sink, 16, MSG_DONTWAIT));
	trace_call("recvmsg", recvmsg(pair[0], &message, MSG_DONTWAIT));
	trace_call("recv of all", recv(pair[0], sink, 16, MSG_WAITALL));
	fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);
	trace_call("read", read(pair[0], sink, 16));
	trace_call("readv", readv(pair[0], &part, 1));
	close(pair[0]);
	close(pair[1]);
	return argument;
}

Test(receive, an_end_that_the_hub_says_is_one_to_who_does_not_wait_too)
{
	hub_patch_all();
	in_hub(end_input, NULL);
	EXPECT_TRACE("recv 4, poll 1, POLLIN, recv 0, recvmsg 0, recv of all 0, read 0, readv 0");
}
