/* Searches: what a seed does is found in a process of its own, and told with no more trouble than
 * it needs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The seeds are the tests' own, whatever the program was asked for. */
static void
forget_seed(void)
{
	unsetenv("HUBBUB_SEED");
	unsetenv("HUBBUB_ONLY");
}

TestSuite(search, .timeout = 120, .init = forget_seed);

#define BYTES 100

/* Whether the report has that text. */
static void
report_has(const char *text)
{
	cr_assert_not_null(
		strstr(hub_sim_report(), text), "no \"%s\" in:\n%s", text, hub_sim_report());
}

/* Sends to itself, and counts on it that a transfer is never partial. */
static void *
count_on_whole_transfers(void *unused)
{
	char bytes[BYTES] = {0};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return unused;
	while (send(pair[0], bytes, BYTES, 0) == -1)
		;
	for (int i = 0; i < 3; i++) {
		ssize_t length = recv(pair[1], bytes, BYTES, MSG_PEEK);

		if (length > 0 && length < BYTES)
			hub_sim_fail("look %d has found a part", i);
	}
	close(pair[0]);
	close(pair[1]);
	return unused;
}

Test(search, tells_the_trouble_that_the_failure_needs)
{
	cr_assert_eq(hub_sim_search(1, 1000, &hub_sim_trouble, count_on_whole_transfers, NULL), -1);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	report_has("has found a part\nit fails with no more trouble than this:\n");
	report_has("  a transfer takes only a part, or a datagram is lost or doubled\n"
		   "the last events");
	report_has("HUBBUB_ONLY='partial:");
	report_has("--filter search/tells_the_trouble_that_the_failure_needs\n");
}

/* What the command of the report would run. */
static int
repeat(void)
{
	char seed[32], only[256];

	cr_assert_eq(sscanf(strstr(hub_sim_report(), "HUBBUB_SEED="),
			     "HUBBUB_SEED=%31s HUBBUB_ONLY='%255[^']'", seed, only),
		2);
	setenv("HUBBUB_SEED", seed, 1);
	setenv("HUBBUB_ONLY", only, 1);
	return hub_sim_search(1, 1000, &hub_sim_trouble, count_on_whole_transfers, NULL);
}

Test(search, is_repeated_by_the_command_of_its_report)
{
	char first[24 * 1024];

	hub_sim_search(1, 1000, &hub_sim_trouble, count_on_whole_transfers, NULL);
	snprintf(first, sizeof first, "%s", hub_sim_report());
	cr_assert_eq(repeat(), -1);
	cr_assert_str_eq(hub_sim_report(), first);
	setenv("HUBBUB_ONLY", "", 1);
	cr_assert_eq(hub_sim_search(1, 1, &hub_sim_trouble, count_on_whole_transfers, NULL), 0);
}

/* With that in the environment nothing runs, and the report says why. */
static void
nothing_runs_with(const char *name, const char *value, const char *why)
{
	setenv(name, value, 1);
	errno = 0;
	cr_assert_eq(hub_sim_search(1, 1, &hub_sim_trouble, count_on_whole_transfers, NULL), -1);
	cr_assert_eq(errno, EINVAL);
	report_has(why);
	unsetenv(name);
}

Test(search, says_what_the_environment_may_ask_for)
{
	static const char *const seeds[] = {"x", "", "-1", " 7", "7 ", "18446744073709551616"};
	static const char *const others[] = {"nonsense", "partial", "partial:", "partial:-3",
		"partial:18446744073709551616", "partial:3,reset:1", "reset:1 parial:3"};

	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
		nothing_runs_with("HUBBUB_SEED", seeds[i], ", and takes one seed: a whole number");
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		nothing_runs_with("HUBBUB_ONLY", others[i], "such as 'partial:3 reset:1'");
	nothing_runs_with("HUBBUB_ONLY", "reset:1 parial:3", "HUBBUB_ONLY has \"parial:3\"");
	nothing_runs_with(
		"HUBBUB_ONLY", "parial:3", "The kinds are interrupted, not_ready, partial,");
}

Test(search, takes_no_nonsense_for_a_seed, .signal = SIGABRT)
{
	cr_assert_eq(hub_sim_seed(3), 3);
	setenv("HUBBUB_SEED", "7", 1);
	cr_assert_eq(hub_sim_seed(3), 7);
	setenv("HUBBUB_SEED", "x", 1);
	hub_sim_seed(3);
}

static void *
write_nowhere(void *null)
{
	int fd = hub_socket(AF_INET, SOCK_DGRAM, 0);

	hub_close(fd);
	raise(SIGSEGV);
	return null;
}

Test(search, survives_a_program_that_is_ended_by_a_signal)
{
	cr_assert_eq(hub_sim_search(1, 1, NULL, write_nowhere, NULL), -1);
	report_has("seed 1: the program was ended by signal 11");
	report_has("UDP socket 512 is closed\n");
}

static void *
wait_for_nothing(void *unused)
{
	char byte;
	int fd = hub_socket(AF_INET, SOCK_DGRAM, 0);

	hub_recv(fd, &byte, 1, 0);
	return unused;
}

static void *
poll_for_ever(void *never)
{
	while (!*(volatile bool *)never)
		hub_sleep(0);
	return NULL;
}

static void *
tick_for_ever(void *never)
{
	while (!*(volatile bool *)never)
		hub_sleep(HUB_SECOND);
	return NULL;
}

static void *
deadlock(void *unused)
{
	struct hub_event event = {0};

	hub_event_wait(&event);
	return unused;
}

Test(search, tells_of_runs_that_hang)
{
	bool never = false;

	hub_sim_search(1, 1, NULL, wait_for_nothing, NULL);
	report_has("seed 1: the world has lasted too long\n");
	report_has("waits for recv");
	hub_sim_search(1, 1, NULL, poll_for_ever, &never);
	report_has("a loop of hub_sleep(0)");
	hub_sim_search(1, 1, NULL, tick_for_ever, &never);
	report_has("the world has lasted too long");
	hub_sim_search(1, 1, NULL, deadlock, NULL);
	report_has("EDEADLK");
}

static void *
leave(void *unused)
{
	hub_sim_fail("it is wrong");
	exit(0);
	return unused;
}

static void *
leave_quietly(void *unused)
{
	_exit(0);
	return unused;
}

Test(search, takes_no_exit_for_a_success)
{
	cr_assert_eq(hub_sim_search(1, 3, NULL, leave, NULL), -1);
	report_has("seed 1: it is wrong\n");
	cr_assert_eq(hub_sim_search(1, 3, NULL, leave_quietly, NULL), -1);
	report_has("seed 1: the program has ended the process in which it ran\n");
	report_has("HUBBUB_SEED=1");
}

static void *
end_well(void *ran)
{
	++*(int *)ran;
	return NULL;
}

Test(search, leaves_the_program_as_it_is)
{
	int ran = 0;

	cr_assert_eq(hub_sim_search(1, 3, NULL, end_well, &ran), 0);
	cr_assert_eq(ran, 0);
	report_has("seed 3: nothing was found\n");
}
