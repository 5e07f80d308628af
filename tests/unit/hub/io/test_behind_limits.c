/* Numbers that are closed behind the hub's back where little else can be relied on: at any moment,
 * by another thread; after a long wait; without files; and all of them, the loop's own included. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/io/own.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/behind.h"

/* ---- any moment ---- */

#define EXCHANGES 20000

struct exchange {
	int numbers[4];
	atomic_bool is_over;
	long ends;
};

/* The number is closed and comes back at any moment, also while libev tells the kernel of it. */
static void *
exchange_in_thread(void *argument)
{
	struct exchange *exchange = argument;

	for (unsigned i = 0; i < EXCHANGES; i++) {
		int number = exchange->numbers[i % 4], pair[2];

		syscall(SYS_close, number);
		if (i % 3 == 0)
			sched_yield();
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
		syscall(SYS_dup3, pair[0], number, O_CLOEXEC);
		syscall(SYS_close, pair[0]);
		syscall(SYS_close, pair[1]);
	}
	atomic_store(&exchange->is_over, true);
	return NULL;
}

static void *
wait_for_exchanged(void *argument)
{
	struct exchange *exchange = argument;
	unsigned i = 0;
	char byte;

	while (!atomic_load(&exchange->is_over)) {
		struct hub_timeout scope;
		int number = exchange->numbers[i++ % 4];

		hub_timeout_start(&scope, i % 5 * 100 * HUB_MICROSECOND);
		if (i % 2 == 0)
			hub_recv(number, &byte, 1, 0);
		else
			hub_wait_fd(number, POLLIN);
		hub_timeout_stop(&scope);
		exchange->ends++;
	}
	return NULL;
}

static void *
exchange_body(void *argument)
{
	struct exchange *exchange = argument;
	pthread_t thread;
	struct hub_pool pool;

	for (int i = 0; i < 4; i++)
		exchange->numbers[i] = FIRST_NUMBER + i;
	pthread_create(&thread, NULL, exchange_in_thread, exchange);
	hub_pool_init(&pool, 0);
	for (int i = 0; i < 8; i++)
		hub_pool_spawn(&pool, wait_for_exchanged, exchange);
	hub_pool_join(&pool);
	pthread_join(thread, NULL);
	for (int i = 0; i < 4; i++)
		hub_close(exchange->numbers[i]);
	return NULL;
}

Test(behind_limits, a_thread_closes_and_opens_at_any_moment, .timeout = 120)
{
	static struct exchange exchange;

	in_hub(exchange_body, &exchange);
	cr_assert_gt(exchange.ends, 0);
}

/* What the kernel will not watch: the loop's own set of descriptors, which would have to watch
 * itself. */
static void *
wait_for_sets(void *argument)
{
	int *refused = argument;

	for (int fd = hub_own_next(0); fd != -1; fd = hub_own_next(fd + 1)) {
		char path[32], target[32] = "";

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof target - 1) < 0 ||
			strstr(target, "eventpoll") == NULL)
			continue;
		*refused += hub_await_fd(fd, POLLIN, HUB_SECOND) == -1 && errno == EINVAL;
		hub_release(fd);
	}
	return NULL;
}

Test(behind_limits, what_cannot_be_watched_is_an_error, .timeout = 60)
{
	struct hub_options options = {.backend = HUB_BACKEND_EPOLL};
	int refused = 0;

	cr_assert_eq(hub_run_with(&options, wait_for_sets, &refused, NULL), 0);
	cr_assert_eq(refused, 1);
}

/* A wait that has lasted longer than the sweep's first looks. */
static void *
old_wait_body(void *argument)
{
	struct scene *scene = argument;

	behind_make_old(scene);
	scene->waiter = hub_spawn(behind_wait_for_old, scene);
	hub_sleep(300 * HUB_MILLISECOND);
	syscall(SYS_close, scene->number);
	hub_join(scene->waiter, NULL);
	hub_close(scene->old_peer);
	return NULL;
}

Test(behind_limits, a_wait_that_has_lasted_ends, .timeout = 60)
{
	struct scene scene = {.was = WAS_stream_read, .number = FIRST_NUMBER, .copy = -1};

	in_hub(old_wait_body, &scene);
	cr_assert(scene.waiter_is_right);
}

/* ---- no more files ---- */

static void *
read_byte(void *argument)
{
	char byte;

	return (void *)(intptr_t)hub_read(*(int *)argument, &byte, 1);
}

/* What tells pipes apart is a set of its own, which cannot be made at first. */
static void *
full_body(void *argument)
{
	ssize_t *received = argument;
	struct hub_coroutine *reader;
	struct rlimit files, none;
	void *result;
	int ends[2];

	pipe2(ends, O_CLOEXEC);
	getrlimit(RLIMIT_NOFILE, &files);
	none = files;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	reader = hub_spawn(read_byte, &ends[0]);
	hub_sleep(MOMENT);
	setrlimit(RLIMIT_NOFILE, &files);
	/* The sweep looks at what waits. */
	hub_sleep(300 * HUB_MILLISECOND);
	hub_write(ends[1], "x", 1);
	hub_join(reader, &result);
	*received = (ssize_t)(intptr_t)result;
	hub_close(ends[0]);
	hub_close(ends[1]);
	return NULL;
}

Test(behind_limits, what_cannot_be_told_apart_is_not_taken_for_closed, .timeout = 60)
{
	ssize_t received = 0;

	in_hub(full_body, &received);
	cr_assert_eq(received, 1);
}

/* ---- all numbers, the loop's own included ---- */

static void *
receive_to_the_end(void *argument)
{
	char byte;

	return (void *)(intptr_t)(hub_recv(*(int *)argument, &byte, 1, 0) == -1 ? errno : 0);
}

static void *
close_all_body(void *argument)
{
	int pair[2], next[2];
	struct hub_coroutine *reader;
	struct hub_timeout scope;
	void *error = NULL;
	char byte = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive_to_the_end, &pair[0]);
	hub_sleep(MOMENT);
	closefrom(3);
	hub_timeout_start(&scope, PATIENCE);
	hub_join(reader, &error);
	socketpair(AF_UNIX, SOCK_STREAM, 0, next);
	reader = hub_spawn(receive_to_the_end, &next[0]);
	hub_sleep(MOMENT);
	if (send(next[1], "x", 1, 0) != 1 || hub_join(reader, argument) != 0)
		byte = 1;
	hub_timeout_stop(&scope);
	/* In a loop that polls again, and knows the time. */
	hub_sleep(MOMENT);
	return byte == 0 && (intptr_t)error == EBADF && *(void **)argument == NULL ? argument
										   : NULL;
}

/* In a process of its own: Criterion has descriptors, too. */
Test(behind_limits, whoever_closes_all_numbers_goes_on, .timeout = 60)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		void *result = &child, *is_well = NULL;

		_exit(hub_run(close_all_body, &result, &is_well) == 0 && is_well != NULL ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}
