/* The hub's own descriptors have numbers that no program means. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/io/own.h"
#include "tests/support/in_hub.h"

#define LOW 256

static struct {
	int low;                 /* more numbers of the hub below LOW than the program's own pipe */
	int first;               /* the lowest number of the hub */
	int read_end, write_end; /* of the program's pipe */
} used;

/* How many are open below that number, and above the standard streams. */
static int
open_below(int most)
{
	int count = 0;

	for (int fd = 3; fd < most; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static void *
use_everything(void *argument)
{
	int ends[2], before = open_below(LOW);
	struct hub_signal *signal = hub_signal_start(SIGUSR1, NULL, NULL);

	pipe(ends);
	used.read_end = ends[0];
	used.write_end = ends[1];
	hub_write(ends[1], "x", 1);
	hub_wait_fd(ends[0], POLLIN);
	hub_sleep(HUB_MILLISECOND);
	used.low = open_below(LOW) - before - 2;
	used.first = hub_own_next(0);
	hub_close(ends[0]);
	hub_close(ends[1]);
	hub_signal_stop(signal);
	return argument;
}

static void *
close_low_ones(void *argument)
{
	int ends[2];

	for (int fd = 3; fd < LOW; fd++)
		close(fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	hub_sleep(HUB_MILLISECOND);
	hub_send(ends[1], "x", 1, 0);
	/* It got the lowest number. */
	return hub_wait_fd(ends[0], POLLIN) != -1 && ends[0] == 3 ? argument : NULL;
}

/* In a process of its own, which shows Criterion nothing. */
static int
run_without_standard(void)
{
	for (int fd = 0; fd < LOW; fd++)
		close(fd);
	if (hub_run(use_everything, NULL, NULL) != 0)
		return 1;
	/* The program's own pipe. */
	return used.read_end == 0 && used.write_end == 1 ? 0 : 2;
}

Test(own, the_hubs_numbers_are_high)
{
	int before = open_below(LOW);

	cr_assert_eq(hub_run(use_everything, NULL, NULL), 0);
	cr_expect_eq(used.low, 0, "%d below %d", used.low, LOW);
	cr_expect_geq(used.first, LOW);
	cr_expect_eq(open_below(LOW), before);
	cr_expect_eq(hub_own_next(0), -1, "none is left of a hub that has ended");
}

Test(own, a_program_that_closes_what_it_does_not_know_goes_on)
{
	int fd = fork();
	int status = 1;

	if (fd == 0) {
		void *is_well = NULL;

		hub_run(close_low_ones, &status, &is_well);
		_exit(is_well != NULL ? 0 : 1);
	}
	cr_assert_eq(waitpid(fd, &status, 0), fd);
	cr_expect_eq(status, 0, "%x", status);
	fd = fork();
	if (fd == 0)
		_exit(run_without_standard());
	cr_assert_eq(waitpid(fd, &status, 0), fd);
	cr_expect_eq(status, 0, "without standard streams: %x", status);
}

/* Where the limit leaves no such numbers. */
Test(own, a_low_limit_leaves_the_program_the_lowest_numbers)
{
	struct rlimit limit = {64, 64};

	if (on_valgrind())
		cr_skip_test("it has limits of its own");
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_eq(hub_run(use_everything, NULL, NULL), 0);
	cr_expect(used.first >= 32 && used.first < 64, "%d", used.first);
}

/* ---- children of a process with several hubs ---- */

static sem_t may_end, is_there;

static void *
be_there(void *argument)
{
	struct hub_signal *signal = hub_signal_start(SIGUSR1, NULL, NULL);

	hub_sleep(HUB_MILLISECOND);
	sem_post(&is_there);
	sem_wait(&may_end);
	hub_signal_stop(signal);
	return argument;
}

static void *
run_another(void *argument)
{
	hub_run(be_there, NULL, NULL);
	return argument;
}

static int
open_above(int least)
{
	int count = 0;

	for (int fd = least; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* What is open above LOW, or above the hub's first number. */
static struct {
	int before;
	int in_the_parent;
	int child_status; /* its exit code is what the child has open */
} beside;

static void *
fork_beside(void *argument)
{
	pid_t child;
	int status = -1;

	hub_sleep(HUB_MILLISECOND);
	beside.in_the_parent = open_above(hub_own_next(0));
	child = fork();
	if (child == 0)
		_exit(open_above(LOW));
	waitpid(child, &status, 0);
	beside.child_status = status;
	return argument;
}

Test(own, a_child_has_none_of_any_threads_hub)
{
	pthread_t other;

	sem_init(&is_there, 0, 0);
	sem_init(&may_end, 0, 0);
	beside.before = open_above(LOW);
	pthread_create(&other, NULL, run_another, NULL);
	sem_wait(&is_there);
	cr_assert_eq(hub_run(fork_beside, NULL, NULL), 0);
	sem_post(&may_end);
	pthread_join(other, NULL);
	cr_expect_gt(beside.in_the_parent, 0);
	cr_expect(WIFEXITED(beside.child_status), "%x", beside.child_status);
	cr_expect_eq(WEXITSTATUS(beside.child_status), beside.before);
}
