#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/support/in_hub.h"

#define BIG ((size_t)3 << 20)

struct record {
	int fds[2];
	long results[8];
	int errors[8];
	char bytes[64];
};

static char big[BIG];

typedef ssize_t send_fn(int fd);

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

static send_fn *const senders[] = {by_send, by_write, by_writev, by_sendmsg, by_sendto};

#define SENDERS ((int)(sizeof senders / sizeof senders[0]))

static void *
drain_pair(void *argument)
{
	struct record *record = argument;
	static char buffer[100000];
	size_t total = 0;
	ssize_t received;

	while (total < BIG && (received = hub_recv(record->fds[1], buffer, sizeof buffer, 0)) > 0) {
		if (memcmp(buffer, big + total, (size_t)received) != 0)
			record->errors[0]++;
		total += (size_t)received;
	}
	return NULL;
}

static void *
big_body(void *argument)
{
	struct record *record = argument;

	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7 + i / 4096);
	socketpair(AF_UNIX, SOCK_STREAM, 0, record->fds);
	for (int i = 0; i < SENDERS; i++) {
		struct hub_coroutine *reader = hub_spawn(drain_pair, record);

		record->results[i] = senders[i](record->fds[0]);
		hub_join(reader, NULL);
	}
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	return NULL;
}

Test(send, sending_sends_all_however_long_it_takes, .timeout = 60)
{
	struct record record = {0};

	in_hub(big_body, &record);
	for (int i = 0; i < SENDERS; i++)
		cr_assert_eq(record.results[i], BIG, "sender %d: %ld", i, record.results[i]);
	cr_assert_eq(record.errors[0], 0, "bytes differ");
}

static void *
partial_body(void *argument)
{
	struct record *record = argument;
	struct hub_timeout scope;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->fds);
	hub_timeout_start(&scope, 100 * HUB_MILLISECOND);
	record->results[0] = hub_send(record->fds[0], big, BIG, 0);
	record->results[1] = hub_send(record->fds[0], big, BIG, 0);
	record->errors[1] = errno;
	hub_timeout_stop(&scope);
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	return NULL;
}

Test(send, an_interrupted_send_tells_how_much_went_out)
{
	struct record record = {0};

	in_hub(partial_body, &record);
	cr_assert_gt(record.results[0], 0);
	cr_assert_lt(record.results[0], (long)BIG);
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], ETIMEDOUT);
}

static void *
dontwait_body(void *argument)
{
	struct record *record = argument;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->fds);
	record->results[0] = hub_recv(record->fds[0], record->bytes, 4, MSG_DONTWAIT);
	record->errors[0] = errno;
	while ((record->results[1] = hub_send(record->fds[0], big, BIG, MSG_DONTWAIT)) > 0)
		continue;
	record->errors[1] = errno;
	hub_close(record->fds[1]);
	record->results[2] = hub_send(record->fds[0], "x", 1, 0);
	record->errors[2] = errno;
	hub_close(record->fds[0]);
	return NULL;
}

Test(send, dontwait_fails_with_eagain_and_a_closed_peer_with_epipe)
{
	struct record record = {0};

	in_hub(dontwait_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], EAGAIN);
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], EAGAIN);
	cr_assert_eq(record.results[2], -1);
	cr_assert_eq(record.errors[2], EPIPE);
}

static void *
closed_peer_body(void *argument)
{
	int *errors = argument, pair[2], file = open("/proc/self/exe", O_RDONLY);
	struct iovec part = {"x", 1};
	off_t offset = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_close(pair[1]);
	errors[0] = hub_write(pair[0], "x", 1) == -1 ? errno : 0;
	errors[1] = hub_writev(pair[0], &part, 1) == -1 ? errno : 0;
	errors[2] = hub_sendfile(pair[0], file, &offset, 1) == -1 ? errno : 0;
	hub_close(pair[0]);
	hub_close(file);
	return NULL;
}

Test(send, writing_to_a_closed_peer_raises_no_signal)
{
	int errors[3] = {0};

	in_hub(closed_peer_body, errors);
	cr_assert_eq(errors[0], EPIPE);
	cr_assert_eq(errors[1], EPIPE);
	cr_assert_eq(errors[2], EPIPE);
}
