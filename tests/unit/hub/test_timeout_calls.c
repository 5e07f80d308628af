/* Timeout scopes around every blocking call: an outer scope ends each, and each takes any time that
 * an int64_t holds. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

/* ---- an outer scope is never lost ---- */

static int blocked;

static int
block_sleep(void)
{
	return hub_sleep(HUB_FOREVER);
}

static int
block_event(void)
{
	struct hub_event event = {0};

	return hub_event_wait(&event);
}

static void *
sleeper(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static struct hub_coroutine *joined;

static int
block_join(void)
{
	return hub_join(joined, NULL);
}

static int
block_recv(void)
{
	char byte;

	return (int)hub_recv(blocked, &byte, 1, 0);
}

static int
block_read(void)
{
	char byte;

	return (int)hub_read(blocked, &byte, 1);
}

static int
block_readv(void)
{
	char byte;
	struct iovec part = {&byte, 1};

	return (int)hub_readv(blocked, &part, 1);
}

static int
block_recvfrom(void)
{
	char byte;

	return (int)hub_recvfrom(blocked, &byte, 1, 0, NULL, NULL);
}

static int
block_recvmsg(void)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return (int)hub_recvmsg(blocked, &message, 0);
}

static int
block_wait_fd(void)
{
	return hub_wait_fd(blocked, POLLIN);
}

static int
block_send(void)
{
	static char big[1 << 20];
	ssize_t sent;

	/* A part may go out first; the next call fails. */
	do
		sent = hub_send(blocked, big, sizeof big, 0);
	while (sent > 0);
	return (int)sent;
}

static int
block_write(void)
{
	static char big[1 << 20];
	ssize_t sent;

	do
		sent = hub_write(blocked, big, sizeof big);
	while (sent > 0);
	return (int)sent;
}

static const struct {
	const char *name;
	int (*call)(void);
} blocking[] = {
	{"hub_sleep", block_sleep},
	{"hub_event_wait", block_event},
	{"hub_join", block_join},
	{"hub_recv", block_recv},
	{"hub_read", block_read},
	{"hub_readv", block_readv},
	{"hub_recvfrom", block_recvfrom},
	{"hub_recvmsg", block_recvmsg},
	{"hub_wait_fd", block_wait_fd},
	{"hub_send", block_send},
	{"hub_write", block_write},
};

enum { BLOCKING = sizeof blocking / sizeof blocking[0] };

struct outcome {
	int error;
	bool has_inner_expired, has_outer_expired;
};

static void *
every_call_body(void *argument)
{
	struct outcome *outcome = argument;
	struct hub_timeout outer, inner;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	blocked = pair[0];
	joined = hub_spawn(sleeper, NULL);
	for (int i = 0; i < BLOCKING; i++, outcome++) {
		hub_timeout_start(&outer, 2 * HUB_MILLISECOND);
		hub_timeout_start(&inner, 60 * HUB_SECOND);
		outcome->error = blocking[i].call() == -1 ? errno : 0;
		outcome->has_inner_expired = hub_timeout_stop(&inner);
		outcome->has_outer_expired = hub_timeout_stop(&outer);
	}
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(timeout_calls, every_blocking_call_obeys_an_outer_scope)
{
	struct outcome outcomes[BLOCKING] = {{0}};

	in_hub(every_call_body, outcomes);
	for (int i = 0; i < BLOCKING; i++) {
		const struct outcome *outcome = &outcomes[i];

		cr_expect_eq(outcome->error, ETIMEDOUT, "%s: %d", blocking[i].name, outcome->error);
		cr_expect_not(outcome->has_inner_expired, "%s", blocking[i].name);
		cr_expect(outcome->has_outer_expired, "%s", blocking[i].name);
	}
}

/* ---- times at either end of what an int64_t holds ---- */

static int
sleep_so_long(int64_t nanoseconds)
{
	return hub_sleep(nanoseconds) == 0 ? 0 : errno;
}

static int
await_so_long(int64_t nanoseconds)
{
	int ends[2], error;

	pipe(ends);
	error = hub_await_fd(ends[0], POLLIN, nanoseconds) == 0 ? 0 : errno;
	hub_close(ends[0]);
	close(ends[1]);
	return error;
}

static int
select_so_long(int64_t nanoseconds)
{
	struct hub_event never = {0};
	struct hub_case one = hub_case_event(&never);

	return hub_select(&one, 1, nanoseconds) == -1 && errno != EAGAIN ? errno : 0;
}

static void *
start_late(void *argument)
{
	return argument;
}

static int
spawn_so_late(int64_t nanoseconds)
{
	struct hub_coroutine *late = hub_spawn_later(nanoseconds, start_late, NULL);
	int error = hub_join(late, NULL) == 0 ? 0 : errno;

	if (error != 0) {
		hub_kill(late);
		hub_detach(late);
	}
	return error;
}

static int
expire_so_late(int64_t nanoseconds)
{
	struct hub_timeout scope;
	int error;

	hub_timeout_start(&scope, nanoseconds);
	error = hub_sleep(HUB_FOREVER) == 0 ? 0 : errno;
	return hub_timeout_stop(&scope) ? 0 : error;
}

static const struct timed {
	const char *name;
	/* Returns 0 when that time has passed, or an errno. */
	int (*call)(int64_t nanoseconds);
} timed[] = {
	{"hub_sleep", sleep_so_long},
	{"hub_await_fd", await_so_long},
	{"hub_select", select_so_long},
	{"hub_spawn_later", spawn_so_late},
	{"hub_timeout_start", expire_so_late},
};

enum { TIMED = sizeof timed / sizeof timed[0] };

static const struct {
	int64_t time;
	int expected; /* of a call in a scope that expires */
} times[] = {
	{INT64_MIN, 0},
	{INT64_MIN + 1, 0},
	{-1, 0},
	{0, 0},
	{INT64_MAX - 1, ETIMEDOUT},
	{INT64_MAX, ETIMEDOUT},
};

enum { TIMES = sizeof times / sizeof times[0] };

static void *
all_times_body(void *argument)
{
	int(*errors)[TIMES] = argument;
	struct hub_timeout scope;

	for (int i = 0; i < TIMED; i++)
		for (int j = 0; j < TIMES; j++) {
			hub_timeout_start(&scope,
				times[j].expected == 0 ? 10 * HUB_SECOND : 2 * HUB_MILLISECOND);
			errors[i][j] = timed[i].call(times[j].time);
			hub_timeout_stop(&scope);
		}
	return NULL;
}

Test(timeout_calls, any_time_may_be_given, .timeout = 30)
{
	int errors[TIMED][TIMES];

	in_hub(all_times_body, errors);
	for (int i = 0; i < TIMED; i++)
		for (int j = 0; j < TIMES; j++)
			cr_expect_eq(errors[i][j], times[j].expected, "%s, %lld: %d", timed[i].name,
				(long long)times[j].time, errors[i][j]);
}
