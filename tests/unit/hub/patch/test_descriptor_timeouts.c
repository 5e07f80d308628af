/* Times that a socket's options or the call itself set: none is too short, none too long, and
 * where no poll(2) can wait, nothing spins. */
#include <errno.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/loopback.h"

static void *
time_out(void *took)
{
	int ends[2], listener = loopback_listen();
	static char buffer[1 << 16];
	int64_t began;
	ssize_t wrote = 1;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	loopback_limit(ends[0], SO_RCVTIMEO, 50000);
	began = hub_now();
	trace_call("recv", recv(ends[0], buffer, 1, 0));
	*(int64_t *)took = hub_now() - began;
	loopback_limit(ends[0], SO_SNDTIMEO, 20000);
	for (int i = 0; i < 100 && wrote > 0; i++)
		wrote = write(ends[0], buffer, sizeof buffer);
	trace_call("write", wrote);
	loopback_limit(listener, SO_RCVTIMEO, 20000);
	trace_call("accept", accept(listener, NULL, NULL));
	close(ends[0]);
	close(ends[1]);
	close(listener);
	return NULL;
}

TestSuite(descriptor_timeouts, .timeout = 60);

Test(descriptor_timeouts, those_of_sockets_hold)
{
	int64_t took = 0;

	hub_patch_all();
	in_hub(time_out, &took);
	EXPECT_TRACE("recv EAGAIN, write EAGAIN, accept EAGAIN");
	cr_expect_geq(took, 50 * HUB_MILLISECOND);
	cr_expect_lt(took, 5 * HUB_SECOND);
}

/* ---- times that are no number of nanoseconds ---- */

static int pair[2];

static void *
write_late(void *argument)
{
	for (int i = 0; i < 2; i++) {
		hub_sleep(20 * HUB_MILLISECOND);
		write(pair[1], "x", 1);
	}
	return argument;
}

static long
select_for_ages(void)
{
	struct timeval ages = {0, INT64_MAX / 500 + 1};
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(pair[0], &reads);
	return select(pair[0] + 1, &reads, NULL, NULL, &ages);
}

static long
receive_two_for_ages(void)
{
	struct timespec ages = {INT64_MAX, 0};
	char bytes[2];
	struct iovec parts[] = {{bytes, 1}, {bytes + 1, 1}};
	struct mmsghdr messages[] = {
		{.msg_hdr = {.msg_iov = &parts[0], .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &parts[1], .msg_iovlen = 1}},
	};

	return recvmmsg(pair[0], messages, 2, 0, &ages);
}

static long
receive_for_ages(void)
{
	struct timeval ages = {INT64_MAX / HUB_SECOND + 1, 0};
	char byte;

	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &ages, sizeof ages);
	return recv(pair[0], &byte, 1, 0);
}

static void *
wait_for_ages(void *argument)
{
	static const struct {
		const char *name;
		long (*call)(void);
	} waits[] = {
		{"select", select_for_ages},
		{"recvmmsg", receive_two_for_ages},
		{"SO_RCVTIMEO", receive_for_ages},
	};

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		struct hub_coroutine *writer;

		socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
		writer = hub_spawn(write_late, NULL);
		trace_call(waits[i].name, waits[i].call());
		hub_join(writer, NULL);
		close(pair[0]);
		close(pair[1]);
	}
	return argument;
}

Test(descriptor_timeouts, may_be_as_long_as_can_be_said)
{
	hub_patch_all();
	in_hub(wait_for_ages, NULL);
	EXPECT_TRACE("select 1, recvmmsg 2, SO_RCVTIMEO 1");
}

/* ---- what no poll can wait for ---- */

static int64_t
thread_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * HUB_SECOND + now.tv_nsec;
}

static void *
fill_datagrams(void *cpu)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	int64_t before;
	ssize_t sent = 1;
	char byte;

	snprintf(
		address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-datagrams-%d", getpid());
	bind(receiver, (struct sockaddr *)&address, sizeof address);
	loopback_limit(sender, SO_SNDTIMEO, 300000);
	before = thread_time();
	for (int i = 0; i < 1000 && sent == 1; i++)
		sent = sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof address);
	trace_call("sendto", sent);
	*(int64_t *)cpu = thread_time() - before;
	trace_call("recv", recv(receiver, &byte, 1, 0));
	trace_call(
		"sendto", sendto(sender, "x", 1, 0, (struct sockaddr *)&address, sizeof address));
	/* For errors the kernel never waits. */
	trace_call("MSG_ERRQUEUE", recv(sender, &byte, 1, MSG_ERRQUEUE));
	close(receiver);
	close(sender);
	return NULL;
}

Test(descriptor_timeouts, a_full_receiver_of_datagrams_is_waited_for_without_spinning)
{
	int64_t cpu = -1;

	hub_patch_all();
	in_hub(fill_datagrams, &cpu);
	EXPECT_TRACE("sendto EAGAIN, recv 1, sendto 1, MSG_ERRQUEUE EAGAIN");
	cr_expect_lt(cpu, 200 * HUB_MILLISECOND, "%jd ns of CPU in 300 ms", (intmax_t)cpu);
}
