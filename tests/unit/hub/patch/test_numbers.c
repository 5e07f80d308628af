/* Closing what lingers: the coroutine waits, and nobody else. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/full.h"
#include "tests/support/in_hub.h"

struct record {
	int closed, error;
	int64_t took, longest;
	bool is_killed, is_over;
};

static void *
look_on(void *argument)
{
	struct record *record = argument;
	int64_t last = hub_now();

	while (!record->is_over) {
		int64_t now;

		hub_sleep(HUB_MILLISECOND);
		now = hub_now();
		if (now - last > record->longest)
			record->longest = now - last;
		last = now;
	}
	return NULL;
}

struct closing {
	struct record *record;
	int fd;
};

static void *
close_it(void *argument)
{
	struct closing *closing = argument;
	int64_t began = hub_now();

	if (closing->record->is_killed)
		hub_kill(hub_current());
	closing->record->closed = close(closing->fd);
	closing->record->error = errno;
	closing->record->took = hub_now() - began;
	return NULL;
}

static void *
linger(void *argument)
{
	struct record *record = argument;
	struct linger second = {1, 1};
	struct hub_coroutine *watcher = hub_spawn(look_on, record), *closer;
	struct closing closing = {record, -1};
	int ends[2];

	full_stream(ends);
	fcntl(ends[0], F_SETFL, 0);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &second, sizeof second);
	closing.fd = ends[0];
	closer = hub_spawn(close_it, &closing);
	hub_join(closer, NULL);
	record->is_over = true;
	hub_join(watcher, NULL);
	close(ends[1]);
	return NULL;
}

TestSuite(numbers, .timeout = 60);

Test(numbers, a_close_that_lingers_holds_nobody_else_up)
{
	for (int i = 0; i < 2; i++) {
		struct record record = {.is_killed = i == 1};

		hub_patch_all();
		in_hub(linger, &record);
		cr_expect_eq(record.closed, 0, "%d", record.error);
		cr_expect_geq(record.took, 900 * HUB_MILLISECOND);
		/* There a close(2) lets no other thread run. */
		if (!on_valgrind())
			cr_expect_lt(record.longest, 900 * HUB_MILLISECOND);
	}
}

/* ---- a thread that ends in the middle of its hub, and closes what it has kept for itself ---- */

static pthread_key_t pair_key;
static int closed;

/* What was remembered of the numbers is freed by then: valgrind sees whoever writes there. */
static void
close_pair(void *argument)
{
	int *pair = argument;

	closed = close(pair[0]) == 0 && close(pair[1]) == 0;
}

static void *
write_late(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	write(((int *)argument)[1], "x", 1);
	return NULL;
}

static void *
read_and_exit(void *argument)
{
	char byte;
	int *pair = argument;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pthread_setspecific(pair_key, pair);
	hub_detach(hub_spawn(write_late, pair));
	read(pair[0], &byte, 1);
	pthread_exit(NULL);
}

static void *
run_and_exit(void *argument)
{
	hub_run(read_and_exit, argument, NULL);
	return NULL;
}

Test(numbers, a_thread_that_ends_remembers_none)
{
	static int pair[2];
	pthread_t thread;

	pthread_key_create(&pair_key, close_pair);
	hub_patch_all();
	pthread_create(&thread, NULL, run_and_exit, pair);
	pthread_join(thread, NULL);
	cr_expect_eq(closed, 1);
}
