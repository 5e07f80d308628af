/* The simulated kernel, call by call, where the hub's own tests do not ask: what is rare, or what
 * only programs call. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/trace.h"

TestSuite(kernel, .timeout = 60);

/* A world without trouble. */
static void
in_quiet_world(hub_fn *body)
{
	cr_assert_eq(hub_sim_run(1, NULL, body, NULL), 0, "%s", hub_sim_report());
}

/* ---- descriptors in messages ---- */

#define MOST 4

struct envelope {
	char byte;
	struct iovec part;
	union {
		char room[CMSG_SPACE(MOST * sizeof(int))];
		struct cmsghdr header;
	} control;
	struct msghdr message;
};

static struct msghdr *
envelope_init(struct envelope *envelope, size_t count)
{
	memset(envelope, 0, sizeof *envelope);
	envelope->part = (struct iovec){&envelope->byte, 1};
	envelope->message.msg_iov = &envelope->part;
	envelope->message.msg_iovlen = 1;
	envelope->message.msg_control = &envelope->control;
	envelope->message.msg_controllen = count != 0 ? CMSG_LEN(count * sizeof(int)) : 0;
	envelope->control.header.cmsg_level = SOL_SOCKET;
	envelope->control.header.cmsg_type = SCM_RIGHTS;
	envelope->control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	return &envelope->message;
}

static ssize_t
send_descriptors(int fd, const int *descriptors, size_t count)
{
	struct envelope envelope;
	struct msghdr *message = envelope_init(&envelope, count);

	memcpy(CMSG_DATA(&envelope.control.header), descriptors, count * sizeof(int));
	return sendmsg(fd, message, MSG_DONTWAIT);
}

/* Receives into room for that many; says how many came, and whether some were lost. */
static void
receive_descriptors(int fd, int *descriptors, size_t room, int flags)
{
	struct envelope envelope;
	struct msghdr *message = envelope_init(&envelope, room);
	size_t count = 0;

	trace_call("recvmsg", recvmsg(fd, message, MSG_DONTWAIT | flags));
	if (message->msg_controllen != 0) {
		count = (envelope.control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(descriptors, CMSG_DATA(&envelope.control.header), count * sizeof(int));
	}
	trace_say("%zu descriptors%s", count, message->msg_flags & MSG_CTRUNC ? ", cut" : "");
}

static void
close_all(const int *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(descriptors[i]);
}

/* The file that is sent is closed by its sender, and is the receiver's still. */
static void *
send_and_close_body(void *type)
{
	int pair[2], sent = eventfd(7, EFD_NONBLOCK), received = -1;
	uint64_t number = 0;

	socketpair(AF_UNIX, *(int *)type | SOCK_NONBLOCK, 0, pair);
	trace_call("send", send_descriptors(pair[0], &sent, 1));
	close(sent);
	receive_descriptors(pair[1], &received, 1, MSG_CMSG_CLOEXEC);
	trace_say("cloexec %d", fcntl(received, F_GETFD));
	trace_call("read", read(received, &number, sizeof number));
	trace_say("%d", (int)number);
	close(received);
	close_all(pair, 2);
	return NULL;
}

Test(kernel, a_descriptor_in_flight_keeps_its_file)
{
	int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		cr_assert_eq(hub_sim_run(1, NULL, send_and_close_body, &types[i]), 0, "%s",
			hub_sim_report());
		EXPECT_TRACE("send 1, recvmsg 1, 1 descriptors, cloexec 1, read 8, 7");
	}
}

static void *
cut_body(void *unused)
{
	int pair[2], sent[2] = {eventfd(0, 0), eventfd(0, 0)}, received[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	send_descriptors(pair[0], sent, 2);
	receive_descriptors(pair[1], received, 2, MSG_PEEK);
	close_all(received, 2);
	receive_descriptors(pair[1], received, 1, 0);
	close_all(received, 1);
	send_descriptors(pair[0], sent, 2);
	receive_descriptors(pair[1], received, 0, 0);
	/* Nobody receives these. */
	send_descriptors(pair[0], sent, 2);
	trace_call("bad", send_descriptors(pair[0], (int[]){-1}, 1));
	close_all(sent, 2);
	close_all(pair, 2);
	return unused;
}

Test(kernel, descriptors_without_room_are_cut_and_closed)
{
	in_quiet_world(cut_body);
	EXPECT_TRACE("recvmsg 1, 2 descriptors, recvmsg 1, 1 descriptors, cut, recvmsg 1, "
		     "0 descriptors, cut, bad EBADF");
}

/* Bytes of one message are not read together with those behind a descriptor. */
static void *
stretches_body(void *unused)
{
	int pair[2], sent = eventfd(0, 0);
	char bytes[8];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	send(pair[0], "a", 1, 0);
	send_descriptors(pair[0], &sent, 1);
	send(pair[0], "b", 1, 0);
	send_descriptors(pair[0], &sent, 1);
	trace_call("read", read(pair[1], bytes, sizeof bytes));
	trace_call("read", read(pair[1], bytes, sizeof bytes));
	trace_call("read", read(pair[1], bytes, sizeof bytes));
	close(sent);
	close_all(pair, 2);
	return unused;
}

Test(kernel, a_read_ends_behind_a_descriptor)
{
	in_quiet_world(stretches_body);
	EXPECT_TRACE("read 2, read 2, read EAGAIN");
}

static void *
full_table_body(void *unused)
{
	int pair[2], sent[2] = {eventfd(0, 0), eventfd(0, 0)}, received[2], copies[32], count = 0;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	send_descriptors(pair[0], sent, 2);
	while ((copies[count] = dup(pair[0])) != -1)
		count++;
	close(sent[1]);
	receive_descriptors(pair[1], received, 2, 0);
	close(received[0]);
	close(sent[0]);
	close_all(copies, (size_t)count);
	close_all(pair, 2);
	return unused;
}

Test(kernel, a_full_table_cuts_descriptors)
{
	struct hub_sim_options options = {.files = 32};

	cr_assert_eq(hub_sim_run(1, &options, full_table_body, NULL), 0, "%s", hub_sim_report());
	EXPECT_TRACE("recvmsg 1, 1 descriptors, cut");
}

/* A socket that is sent over itself, and a real file. */
static void *
round_trip_body(void *unused)
{
	int pair[2], other[2], file = open("/dev/null", O_WRONLY), received = -1;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, other);
	send_descriptors(other[0], &file, 1);
	close(file);
	receive_descriptors(other[1], &received, 1, 0);
	trace_call("write", write(received, "x", 1));
	close(received);
	/* Each is in the other's queue when nobody has them any more. */
	send_descriptors(pair[0], &pair[0], 1);
	send_descriptors(pair[1], &pair[1], 1);
	close_all(pair, 2);
	close(other[0]);
	trace_call("end", recv(other[1], &(char){0}, 1, 0));
	trace_call("broken", send(other[1], "x", 1, 0));
	close(other[1]);
	return unused;
}

Test(kernel, what_is_on_its_way_at_the_end_is_given_back)
{
	in_quiet_world(round_trip_body);
	EXPECT_TRACE("recvmsg 1, 1 descriptors, write 1, end 0, broken EPIPE");
}

/* ---- timers ---- */

static void
set_timer(int fd, int64_t first, int64_t interval)
{
	struct itimerspec value = {
		.it_value = {first / HUB_SECOND, first % HUB_SECOND},
		.it_interval = {interval / HUB_SECOND, interval % HUB_SECOND},
	};

	trace_call("set", timerfd_settime(fd, 0, &value, NULL));
}

static void
read_timer(int fd)
{
	uint64_t count = 0;
	int64_t began = hub_now();

	trace_call("read", hub_read(fd, &count, sizeof count));
	trace_say("%d after %d s", (int)count,
		(int)((hub_now() - began + HUB_SECOND / 2) / HUB_SECOND));
}

static void *
timer_body(void *unused)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec left;
	uint64_t count;

	trace_call("read", read(fd, &count, sizeof count));
	set_timer(fd, 3600 * HUB_SECOND, 0);
	timerfd_gettime(fd, &left);
	trace_say("%d left", (int)left.it_value.tv_sec);
	read_timer(fd);
	trace_call("read", read(fd, &count, sizeof count));
	set_timer(fd, HUB_SECOND, 2 * HUB_SECOND);
	hub_sleep(6 * HUB_SECOND);
	read_timer(fd);
	read_timer(fd);
	/* Set while it is waited for, and unset. */
	set_timer(fd, HUB_SECOND, 0);
	set_timer(fd, 0, 0);
	hub_sleep(2 * HUB_SECOND);
	trace_call("read", read(fd, &count, sizeof count));
	set_timer(fd, HUB_SECOND, HUB_SECOND);
	close(fd);
	return unused;
}

Test(kernel, timers_expire_in_the_time_of_the_world)
{
	in_quiet_world(timer_body);
	EXPECT_TRACE("read EAGAIN, set 0, 3599 left, read 8, 1 after 3600 s, read EAGAIN, set 0, "
		     "read 8, 3 after 0 s, read 8, 1 after 1 s, set 0, set 0, read EAGAIN, set 0");
}

static void *
absolute_body(void *unused)
{
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec value = {.it_value = {.tv_sec = time(NULL) + 10}};

	trace_call("set", timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL));
	read_timer(fd);
	trace_call(
		"no timer", timerfd_settime(hub_socket(AF_INET, SOCK_STREAM, 0), 0, &value, NULL));
	close(fd);
	close(fd + 1);
	trace_call("clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	return unused;
}

Test(kernel, timers_expire_at_a_time_of_day)
{
	in_quiet_world(absolute_body);
	EXPECT_TRACE("set 0, read 8, 1 after 10 s, no timer EINVAL, clock EINVAL");
}

/* A timer that expires so many seconds from now, by the time of day. */
static int
timer_at(int seconds, int flags)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec value = {.it_value = {.tv_sec = time(NULL) + seconds}};

	timerfd_settime(fd, TFD_TIMER_ABSTIME | flags, &value, NULL);
	return fd;
}

static void *
jump_body(void *unused)
{
	int ahead = timer_at(7200, 0), behind = timer_at(10, 0), expired = timer_at(1, 0);
	int relative = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);

	hub_sleep(2 * HUB_SECOND);
	set_timer(relative, 20 * HUB_SECOND, 0);
	hub_sim_jump(-3600 * HUB_SECOND);
	read_timer(expired);
	read_timer(relative);
	read_timer(behind);
	hub_sim_jump(3 * 3600 * HUB_SECOND);
	read_timer(ahead);
	close(ahead);
	close(behind);
	close(expired);
	close(relative);
	return unused;
}

Test(kernel, timers_of_a_time_of_day_follow_its_jumps)
{
	in_quiet_world(jump_body);
	EXPECT_TRACE("set 0, read 8, 1 after 0 s, read 8, 1 after 20 s, read 8, 1 after 3588 s, "
		     "read 8, 1 after 0 s");
}

static void *
cancel_body(void *unused)
{
	int fd = timer_at(100, TFD_TIMER_CANCEL_ON_SET);
	uint64_t count;

	trace_call("read", read(fd, &count, sizeof count));
	hub_sim_jump(HUB_SECOND);
	trace_call("wait", hub_wait_fd(fd, POLLIN));
	trace_call("read", read(fd, &count, sizeof count));
	trace_call("read", read(fd, &count, sizeof count));
	read_timer(fd);
	close(fd);
	return unused;
}

Test(kernel, a_jump_is_told_to_who_asks_for_it)
{
	in_quiet_world(cancel_body);
	EXPECT_TRACE("read EAGAIN, wait 1, read ECANCELED, read EAGAIN, read 8, 1 after 99 s");
}
