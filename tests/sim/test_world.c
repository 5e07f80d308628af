/* The world itself: that its seed decides everything, that its time is its own, that it finds what
 * programs forget, and that bytes arrive once, in order, whatever goes wrong. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/echo.h"
#include "tests/sim/seeds.h"

#define SEEDS 200

TestSuite(world, .timeout = 120);

Test(world, bytes_arrive_once_and_in_order)
{
	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, NULL, echo_body, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(echo.right, SEEDS * ECHO_CLIENTS);
	cr_assert_eq(echo.wrong, 0);
}

Test(world, in_trouble_bytes_arrive_once_and_in_order_or_with_an_error)
{
	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, &hub_sim_trouble, echo_body, NULL), 0, "%s",
			hub_sim_report());
	cr_assert_eq(echo.right + echo.failed, SEEDS * ECHO_CLIENTS);
	cr_assert_gt(echo.right, 0);
	cr_assert_gt(echo.failed, 0, "there was no trouble");
	cr_assert_eq(echo.wrong, 0);
}

Test(world, a_seed_repeats_itself)
{
	uint64_t before = 0;

	EACH_SEED (seed, SEEDS) {
		uint64_t first;

		hub_sim_run(seed, &hub_sim_trouble, echo_body, NULL);
		first = hub_sim_trace();
		hub_sim_run(seed, &hub_sim_trouble, echo_body, NULL);
		cr_assert_eq(hub_sim_trace(), first, "seed %lu", (unsigned long)seed);
		cr_assert_neq(first, before, "seed %lu is as the one before", (unsigned long)seed);
		before = first;
	}
}

/* ---- what wakes for no reason ---- */

static void *
connect_and_ask(void *unused)
{
	int listener = hub_create_server("127.0.0.1", "0", 0),
	    client = hub_socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address;
	socklen_t length = sizeof address;

	getsockname(listener, (struct sockaddr *)&address, &length);
	cr_expect_eq(hub_connect(client, (struct sockaddr *)&address, length), 0);
	cr_expect_eq(getpeername(client, (struct sockaddr *)&address, &length), 0,
		"hub_connect has returned 0 before there was a connection");
	hub_close(client);
	hub_close(listener);
	return unused;
}

Test(world, a_spurious_wake_does_not_end_a_connect)
{
	const struct hub_sim_options options = {.spurious = 1};

	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, &options, connect_and_ask, NULL), 0);
}

/* ---- time ---- */

static void *
sleep_a_day(void *slept)
{
	int64_t began = hub_now();
	time_t before = time(NULL);

	hub_sleep(24 * 3600 * HUB_SECOND);
	*(int64_t *)slept = hub_now() - began;
	cr_expect_geq(time(NULL) - before, 24 * 3600);
	return NULL;
}

Test(world, a_day_takes_no_time)
{
	int64_t began = hub_now(), slept = 0;

	cr_assert_eq(hub_sim_run(1, NULL, sleep_a_day, &slept), 0);
	cr_assert_geq(slept, 24 * 3600 * HUB_SECOND);
	cr_assert_lt(slept, 24 * 3600 * HUB_SECOND + HUB_SECOND);
	cr_assert_lt(hub_now() - began, 60 * HUB_SECOND);
}

/* ---- what a run finds ---- */

static void *
leave_a_descriptor(void *unused)
{
	hub_socket(AF_INET, SOCK_STREAM, 0);
	return unused;
}

Test(world, finds_a_descriptor_that_is_left)
{
	cr_assert_eq(hub_sim_run(5, NULL, leave_a_descriptor, NULL), -1);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	cr_assert_not_null(strstr(hub_sim_report(), "seed 5: TCP socket 512 is still open"), "%s",
		hub_sim_report());
}

static void *
block(void *unused)
{
	int pair[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	cr_expect_eq(read(pair[0], &byte, 1), -1);
	close(pair[0]);
	close(pair[1]);
	return unused;
}

Test(world, finds_a_call_that_blocks_the_thread)
{
	cr_assert_eq(hub_sim_run(1, NULL, block, NULL), -1);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	cr_assert_not_null(
		strstr(hub_sim_report(), "read blocks on descriptor 512"), "%s", hub_sim_report());
}

static void *
receive_and_receive(void *unused)
{
	static const char bytes[100];
	char byte;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_send(pair[0], bytes, sizeof bytes, 0);
	while (recv(pair[1], &byte, 1, MSG_DONTWAIT) == 1)
		continue;
	hub_close(pair[0]);
	hub_close(pair[1]);
	return unused;
}

Test(world, finds_a_loop_that_goes_on_as_long_as_a_peer_sends)
{
	cr_assert_eq(hub_sim_run(1, NULL, receive_and_receive, NULL), -1);
	cr_assert_not_null(strstr(hub_sim_report(), "descriptor 513 is received from more than 64 "
						    "times in a row"),
		"%s", hub_sim_report());
}

static void *
start_a_process(void *error)
{
	char *arguments[] = {"true", NULL};

	*(int *)error = hub_process_start(arguments, NULL) == NULL ? errno : 0;
	return NULL;
}

Test(world, has_no_processes)
{
	int error = 0;

	cr_assert_eq(hub_sim_run(1, NULL, start_a_process, &error), -1);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	cr_assert_eq(error, ENOSYS);
}

static void *
wait_for_nothing(void *unused)
{
	int fd = hub_socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	hub_recv(fd, &byte, 1, 0);
	return unused;
}

Test(world, a_run_that_cannot_end_aborts, .signal = SIGABRT)
{
	struct hub_sim_options options = {.longest = 24 * 3600 * HUB_SECOND};

	hub_sim_run(1, &options, wait_for_nothing, NULL);
}

static void *
run_another(void *error)
{
	*(int *)error = hub_sim_run(2, NULL, run_another, error) == -1 ? errno : 0;
	return NULL;
}

Test(world, there_is_one_at_a_time)
{
	struct hub_sim_options newer = {.room = {&newer}};
	int error = 0;

	cr_assert_eq(hub_sim_run(1, NULL, run_another, &error), 0);
	cr_assert_eq(error, EBUSY);
	cr_assert_eq(hub_sim_run(1, &newer, run_another, &error), -1);
	cr_assert_eq(errno, EINVAL);
}
