/* What descriptors show besides being readable or writable. */
#include "hub/io/signs_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hub/io/own.h"
#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"

#define LOOKS_MOST 40

static void
urgent(int peer)
{
	send(peer, "u", 1, MSG_OOB);
}

static void
half_close(int peer)
{
	shutdown(peer, SHUT_WR);
}

static void
whole_close(int peer)
{
	close(peer);
}

/* A pair of stream sockets of which the first is full, and has a byte to be read if asked. */
static const struct {
	const char *name;
	bool has_input;
	short events;
	void (*act)(int peer);
	short told;
} cases[] = {
	{"urgent, beside input that is not asked for", true, POLLPRI, urgent, POLLPRI},
	{"urgent, beside output", false, POLLPRI | POLLOUT, urgent, POLLPRI},
	{"a half close, beside output", false, POLLRDHUP | POLLOUT, half_close, POLLRDHUP},
	{"a half close, beside input that is not asked for", true, POLLRDHUP, half_close,
		POLLRDHUP},
	{"the norm", false, POLLRDNORM, half_close, POLLRDNORM},
	{"nothing but the end", true, 0, whole_close, POLLHUP | POLLERR},
};
#define CASES (sizeof cases / sizeof cases[0])

struct record {
	int polled[CASES];
	short revents[CASES];
	int chosen[CASES];
	int errors[CASES];
	/* Of those who wait while there is an error that nobody takes. */
	uint64_t polls;
	ssize_t got[4];
};

struct act {
	void (*act)(int peer);
	int peer;
};

static void *
act_later(void *argument)
{
	struct act *act = argument;

	hub_sleep(5 * HUB_MILLISECOND);
	act->act(act->peer);
	return NULL;
}

static void
prepare(size_t number, int ends[2])
{
	static char block[1 << 16];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	while (send(ends[0], block, sizeof block, MSG_DONTWAIT) > 0)
		continue;
	if (cases[number].has_input)
		send(ends[1], "x", 1, 0);
}

static void *
walk(void *argument)
{
	struct record *record = argument;

	for (size_t i = 0; i < 2 * CASES; i++) {
		size_t number = i / 2;
		int ends[2];

		prepare(number, ends);
		struct act act = {cases[number].act, ends[1]};
		struct hub_coroutine *actor = hub_spawn(act_later, &act);
		struct pollfd one = {ends[0], cases[number].events, 0};
		struct hub_case choice[] = {hub_case_fd(ends[0], cases[number].events)};

		if (i % 2 == 0) {
			record->polled[number] = hub_poll(&one, 1, 20000);
			record->revents[number] = one.revents;
		} else {
			record->chosen[number] = hub_select(choice, 1, 20 * HUB_SECOND);
			record->errors[number] = choice[0].error;
		}
		hub_join(actor, NULL);
		close(ends[0]);
		if (cases[number].act != whole_close)
			close(ends[1]);
	}
	return NULL;
}

Test(signs, wake_whoever_asks_for_them)
{
	struct record record = {0};

	in_hub(walk, &record);
	for (size_t i = 0; i < CASES; i++) {
		cr_assert_eq(record.polled[i], 1, "%s: %d", cases[i].name, record.polled[i]);
		cr_assert_eq(record.revents[i], cases[i].told, "%s: 0x%x", cases[i].name,
			(unsigned)record.revents[i]);
		cr_assert_eq(record.chosen[i], 0, "%s: select", cases[i].name);
		cr_assert_eq(record.errors[i], 0, "%s: select", cases[i].name);
	}
}

/* ---- a close ---- */

static void
close_own(int own)
{
	hub_close(own);
}

struct closed {
	int polled;
	short revents;
	int chosen;
	int error;
};

static void *
wait_for_closed(void *argument)
{
	struct closed *closed = argument;

	for (int i = 0; i < 2; i++) {
		int ends[2];

		prepare(1, ends);
		struct act act = {close_own, ends[0]};
		struct hub_coroutine *actor = hub_spawn(act_later, &act);
		struct pollfd one = {ends[0], POLLPRI, 0};
		struct hub_case choice = hub_case_fd(ends[0], POLLPRI);

		if (i == 0) {
			closed->polled = hub_poll(&one, 1, 20000);
			closed->revents = one.revents;
		} else {
			closed->chosen = hub_select(&choice, 1, 20 * HUB_SECOND);
			closed->error = choice.error;
		}
		hub_join(actor, NULL);
		close(ends[1]);
	}
	return NULL;
}

Test(signs, a_close_reaches_whoever_asks_for_them)
{
	struct closed closed = {0};

	in_hub(wait_for_closed, &closed);
	cr_expect_eq(closed.polled, 1);
	cr_expect_eq(closed.revents, POLLNVAL);
	cr_expect_eq(closed.chosen, 0);
	cr_expect_eq(closed.error, EBADF);
}

/* ---- an error queue that nobody reads ---- */

static struct hub_counters counters;

/* A datagram that nobody takes; its error is in the queue, and has been told once. */
static int
make_noisy(struct sockaddr_in *own)
{
	struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), gone = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t length = sizeof nobody;
	char byte;

	bind(gone, (struct sockaddr *)&nobody, length);
	getsockname(gone, (struct sockaddr *)&nobody, &length);
	close(gone);
	*own = nobody;
	own->sin_port = 0;
	bind(fd, (struct sockaddr *)own, length);
	getsockname(fd, (struct sockaddr *)own, &length);
	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &(int){1}, sizeof(int));
	sendto(fd, "x", 1, 0, (struct sockaddr *)&nobody, length);
	recv(fd, &byte, 1, MSG_DONTWAIT);
	return fd;
}

static void *
send_later(void *argument)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	hub_sleep(100 * HUB_MILLISECOND);
	sendto(fd, "y", 1, 0, argument, sizeof(struct sockaddr_in));
	close(fd);
	return NULL;
}

/* As hub/patch does it. */
static ssize_t
await_and_receive(int fd, char *bytes, size_t size)
{
	ssize_t got;

	while ((got = recv(fd, bytes, size, MSG_DONTWAIT)) == -1 && errno == EAGAIN &&
		hub_await_fd(fd, POLLIN, HUB_FOREVER) == 1)
		continue;
	if (got > 0)
		hub_note_received(fd);
	return got;
}

static void *
wait_beside_noise(void *argument)
{
	struct record *record = argument;
	struct sockaddr_in own;
	int fd = make_noisy(&own);
	uint64_t before = counters.polls;

	for (int i = 0; i < 4; i++) {
		struct hub_coroutine *sender = hub_spawn(send_later, &own);
		char bytes[8];

		record->got[i] = i % 2 == 0 ? hub_recv(fd, bytes, sizeof bytes, 0)
					    : await_and_receive(fd, bytes, sizeof bytes);
		hub_join(sender, NULL);
	}
	record->polls = counters.polls - before;
	hub_close(fd);
	return NULL;
}

Test(signs, an_error_that_nobody_takes_does_not_keep_a_receiver_awake)
{
	struct hub_options options = {.counters = &counters};
	struct record record = {0};

	cr_assert_eq(hub_run_with(&options, wait_beside_noise, &record, NULL), 0);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(record.got[i], 1, "%d", i);
	cr_assert(record.polls < LOOKS_MOST, "%lu polls", (unsigned long)record.polls);
}

/* ---- a set whose number is another's ---- */

struct loss {
	int polled_before, polled_after;
	bool was_owned, is_owned, has_another;
};

static void *
lose_set(void *argument)
{
	struct loss *loss = argument;
	int number = -1;

	for (int i = 0; i < 2; i++) {
		int ends[2], other;

		prepare(1, ends);
		struct act act = {half_close, ends[1]};
		struct hub_coroutine *actor = hub_spawn(act_later, &act);
		struct pollfd one = {ends[0], POLLRDHUP | POLLOUT, 0};

		*(i == 0 ? &loss->polled_before : &loss->polled_after) = hub_poll(&one, 1, 20000);
		hub_join(actor, NULL);
		if (i == 0) {
			number = hub_this->fds.signs;
			loss->was_owned = hub_owns(number);
			other = eventfd(0, EFD_CLOEXEC);
			syscall(SYS_dup3, other, number, O_CLOEXEC);
			close(other);
		}
		close(ends[0]);
		close(ends[1]);
	}
	loss->is_owned = hub_owns(number);
	loss->has_another = hub_this->fds.signs != -1 && hub_this->fds.signs != number;
	close(number);
	return NULL;
}

Test(signs, may_lose_their_number)
{
	struct loss loss = {0};

	in_hub(lose_set, &loss);
	cr_expect_eq(loss.polled_before, 1);
	cr_expect_eq(loss.polled_after, 1);
	cr_expect(loss.was_owned && loss.has_another);
	cr_expect_not(loss.is_owned);
}
