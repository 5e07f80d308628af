/* Values at the corners: counts below zero and above what there can be, nothing where there should
 * be something, times that have passed since ever. The hub's calls answer as their namesakes, which
 * a thread calls. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

/* That the values are wrong is what this is about. */
#pragma GCC diagnostic ignored "-Wnonnull"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif

/* A pair of sockets with five bytes to be read, an empty pipe, a file. */
static struct {
	int pair[2], pipe[2], file;
} with;

static struct iovec part = {&with, 8};
static char text[8];

static struct msghdr *
parts_are(struct iovec *parts, size_t count)
{
	static _Thread_local struct msghdr message;

	message = (struct msghdr){.msg_iov = parts, .msg_iovlen = count};
	return &message;
}

/* clang-format off */
#define CORNERS(CASE) \
	CASE(readv, (with.pair[0], &part, -1)) \
	CASE(readv, (with.pair[0], &part, INT_MIN)) \
	CASE(readv, (with.pair[0], &part, 0)) \
	CASE(readv, (with.pair[0], &part, IOV_MAX + 1)) \
	CASE(readv, (with.pair[0], NULL, 1)) \
	CASE(readv, (with.pair[0], NULL, INT_MAX)) \
	CASE(readv, (with.pipe[0], &part, -1)) \
	CASE(readv, (with.pipe[0], NULL, 1)) \
	CASE(readv, (with.file, NULL, 1)) \
	CASE(readv, (with.file, &part, -1)) \
	CASE(readv, (-1, NULL, -1)) \
	CASE(writev, (with.pair[0], &part, -1)) \
	CASE(writev, (with.pair[0], NULL, 1)) \
	CASE(writev, (with.pair[0], NULL, 0)) \
	CASE(writev, (with.pipe[1], NULL, 1)) \
	CASE(writev, (with.pipe[1], &part, INT_MIN)) \
	CASE(writev, (with.file, &part, -1)) \
	CASE(writev, (with.file, NULL, 1)) \
	CASE(writev, (-1, &part, 1)) \
	CASE(recvmsg, (with.pair[0], NULL, 0)) \
	CASE(recvmsg, (with.pair[0], parts_are(NULL, 1), 0)) \
	CASE(recvmsg, (with.pair[0], parts_are(&part, SIZE_MAX), 0)) \
	CASE(recvmsg, (with.pair[0], parts_are(&part, IOV_MAX + 1), MSG_DONTWAIT)) \
	CASE(recvmsg, (with.pipe[0], parts_are(&part, 1), 0)) \
	CASE(recvmsg, (-1, NULL, 0)) \
	CASE(sendmsg, (with.pair[0], NULL, 0)) \
	CASE(sendmsg, (with.pair[0], parts_are(NULL, 1), 0)) \
	CASE(sendmsg, (with.pair[0], parts_are(&part, SIZE_MAX), 0)) \
	CASE(sendmsg, (with.pipe[1], parts_are(&part, 1), 0)) \
	CASE(recv, (with.pair[0], NULL, 5, MSG_PEEK)) \
	CASE(recv, (-1, text, 5, 0)) \
	CASE(send, (with.pair[0], NULL, 5, 0)) \
	CASE(send, (with.pipe[1], text, 5, 0)) \
	CASE(read, (with.pair[0], NULL, 5)) \
	CASE(read, (with.file, text, 0)) \
	CASE(read, (-1, text, 1)) \
	CASE(write, (with.pair[0], NULL, 5)) \
	CASE(write, (with.pipe[1], NULL, 5)) \
	CASE(write, (-1, text, 0)) \
	CASE(pread, (with.file, text, 8, LONG_MIN)) \
	CASE(pread, (with.pipe[0], text, 8, 0)) \
	CASE(pwrite, (with.file, NULL, 8, 0)) \
	CASE(pwrite, (with.file, text, 8, -1)) \
	CASE(connect, (with.pair[0], NULL, 16)) \
	CASE(connect, (-1, NULL, 0)) \
	CASE(accept, (with.pair[0], NULL, NULL)) \
	CASE(accept, (with.pipe[0], NULL, NULL)) \
	CASE(accept, (-1, NULL, NULL)) \
	CASE(poll, (NULL, 1, 0)) \
	CASE(poll, (NULL, 1, -1)) \
	CASE(poll, (NULL, UINT_MAX, 10)) \
	CASE(poll, (NULL, ULONG_MAX, -1)) \
	CASE(poll, (NULL, 0, 1)) \
	CASE(close, (-1)) \
	CASE(close, (INT_MAX))
/* clang-format on */

struct answer {
	long result;
	int error;
};

#define MADE(expression)                                                                           \
	do {                                                                                       \
		errno = 0;                                                                         \
		answers->result = (long)(expression);                                              \
		answers->error = answers->result == -1 ? errno : 0;                                \
		answers++;                                                                         \
	} while (0);
#define PLAIN(name, arguments) MADE(name arguments)
#define OURS(name, arguments) MADE(hub_##name arguments)
#define TEXT(name, arguments) #name " " #arguments,

static const char *const names[] = {CORNERS(TEXT)};
#define CASES (sizeof names / sizeof names[0])

static struct answer plain[CASES], ours[CASES];

static void *
call_plainly(void *argument)
{
	struct answer *answers = argument;

	CORNERS(PLAIN)
	return NULL;
}

static void *
compare(void *argument)
{
	struct answer *answers = ours;
	pthread_t thread;

	socketpair(AF_UNIX, SOCK_STREAM, 0, with.pair);
	with.file = write(with.pair[1], "hello", 5) == 5 && pipe(with.pipe) == 0
			    ? open("/tmp", O_TMPFILE | O_RDWR, 0600)
			    : -1;
	pthread_create(&thread, NULL, call_plainly, plain);
	pthread_join(thread, NULL);
	CORNERS(OURS)
	for (int i = 0; i < 2; i++) {
		hub_close(with.pair[i]);
		hub_close(with.pipe[i]);
	}
	hub_close(with.file);
	return argument;
}

TestSuite(corners, .timeout = 60);

Test(corners, are_answered_as_by_the_namesake)
{
	struct hub_options options = {.stack_size = (size_t)512 * 1024};

	if (on_valgrind())
		cr_skip_test("it would tell of each wrong value");
	hub_run_with(&options, compare, NULL, NULL);
	for (size_t i = 0; i < CASES; i++)
		cr_expect(plain[i].result == ours[i].result && plain[i].error == ours[i].error,
			"%s: libc has %ld (%s), the hub %ld (%s)", names[i], plain[i].result,
			strerror(plain[i].error), ours[i].result, strerror(ours[i].error));
}

/* ---- times ---- */

static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -HUB_SECOND, -1, 0};
#define TIMES (sizeof times / sizeof times[0])

static struct {
	int slept, selected, selected_error, awaited, scoped, scoped_error;
	bool has_expired, has_run;
} passed[TIMES];

static void *
run_later(void *argument)
{
	*(bool *)argument = true;
	return NULL;
}

static void *
let_pass(void *argument)
{
	for (size_t i = 0; i < TIMES; i++) {
		struct hub_event never = {0};
		struct hub_case one = hub_case_event(&never);
		struct hub_timeout scope;
		int ends[2] = {-1, -1};

		passed[i].slept = hub_sleep(times[i]);
		passed[i].selected = hub_select(&one, 1, times[i]);
		passed[i].selected_error = errno;
		if (pipe(ends) == 0)
			passed[i].awaited = hub_await_fd(ends[0], POLLIN, times[i]);
		hub_timeout_start(&scope, times[i]);
		passed[i].scoped = hub_sleep(HUB_SECOND);
		passed[i].scoped_error = errno;
		passed[i].has_expired = hub_timeout_stop(&scope);
		hub_join(hub_spawn_later(times[i], run_later, &passed[i].has_run), NULL);
		hub_close(ends[0]);
		hub_close(ends[1]);
	}
	return argument;
}

Test(corners, times_below_zero_have_passed)
{
	in_hub(let_pass, NULL);
	for (size_t i = 0; i < TIMES; i++) {
		cr_expect_eq(passed[i].slept, 0, "%zu", i);
		cr_expect(passed[i].selected == -1 && passed[i].selected_error == EAGAIN, "%zu", i);
		cr_expect_eq(passed[i].awaited, 0, "%zu", i);
		cr_expect(passed[i].scoped == -1 && passed[i].scoped_error == ETIMEDOUT, "%zu", i);
		cr_expect(passed[i].has_expired, "%zu", i);
		cr_expect(passed[i].has_run, "%zu", i);
	}
}

static void *
wait_for_ever_and_a_day(void *argument)
{
	struct hub_timeout scope;
	int *result = argument;

	hub_timeout_start(&scope, INT64_MAX - 1);
	*result = hub_sleep(HUB_MILLISECOND) == 0 && !hub_timeout_stop(&scope);
	return NULL;
}

Test(corners, times_of_ages_do_not_pass)
{
	int result = 0;

	in_hub(wait_for_ever_and_a_day, &result);
	cr_assert_eq(result, 1);
}
