/* Calls that are interrupted if they wait: of which signal is taken for that, whose the timer is,
 * and when it is needed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

static void
handle(int number)
{
	(void)number;
}

/* The signal that is taken first: valgrind lets nobody handle a higher one. */
static int
highest(void)
{
	struct sigaction some = {.sa_handler = handle}, none = {.sa_handler = SIG_DFL};
	int number = SIGRTMAX;

	while (number > SIGRTMIN && sigaction(number, &some, NULL) != 0)
		number--;
	sigaction(number, &none, NULL);
	return number;
}

static bool
is_taken(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL;
}

/* ---- an eventfd that has room for less ---- */

struct numbers {
	bool is_blocked; /* the highest signal */
	int wrote;
	eventfd_t before, after; /* in the eventfd, before there was room and then */
	bool is_highest_taken, is_next_taken;
};

static void *
read_late(void *argument)
{
	eventfd_t got;

	hub_sleep(5 * HUB_MILLISECOND);
	eventfd_read(*(int *)argument, &got);
	return (void *)(uintptr_t)got;
}

static void *
write_too_much(void *argument)
{
	struct numbers *numbers = argument;
	int fd = eventfd(0, EFD_CLOEXEC), first = highest();
	struct hub_coroutine *reader;
	sigset_t one;
	void *got;

	sigemptyset(&one);
	sigaddset(&one, first);
	if (numbers->is_blocked)
		pthread_sigmask(SIG_BLOCK, &one, NULL);
	eventfd_write(fd, UINT64_MAX - 3);
	reader = hub_spawn(read_late, &fd);
	numbers->wrote = eventfd_write(fd, 5);
	hub_join(reader, &got);
	numbers->before = (uintptr_t)got;
	eventfd_read(fd, &numbers->after);
	numbers->is_highest_taken = is_taken(first);
	numbers->is_next_taken = is_taken(first - 1);
	close(fd);
	return NULL;
}

TestSuite(brief, .timeout = 60);

Test(brief, a_number_waits_for_room_in_its_eventfd)
{
	struct numbers numbers = {0};

	hub_patch_all();
	in_hub(write_too_much, &numbers);
	cr_expect_eq(numbers.wrote, 0);
	cr_expect_eq(numbers.before, UINT64_MAX - 3, "%ju", (uintmax_t)numbers.before);
	cr_expect_eq(numbers.after, 5, "%ju", (uintmax_t)numbers.after);
	cr_expect(numbers.is_highest_taken && !numbers.is_next_taken);
}

Test(brief, a_signal_that_is_blocked_may_be_awaited)
{
	struct numbers numbers = {.is_blocked = true};

	hub_patch_all();
	in_hub(write_too_much, &numbers);
	cr_expect_eq(numbers.wrote, 0);
	cr_expect(!numbers.is_highest_taken && numbers.is_next_taken);
}

static void *
write_after_child(void *numbers)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	pid_t child = vfork();

	if (child == 0) {
		eventfd_write(fd, 1);
		syscall(SYS_exit_group, 0);
	}
	waitpid(child, NULL, 0);
	close(fd);
	return write_too_much(numbers);
}

Test(brief, a_child_of_vfork_leaves_the_timer_to_its_parent)
{
	struct numbers numbers = {0};

	hub_patch_all();
	in_hub(write_after_child, &numbers);
	cr_expect_eq(numbers.wrote, 0);
}

/* ---- a listener, and what a child of vfork executes ---- */

struct listening {
	bool has_child;
	int accepted, status;
	bool is_interrupted; /* if it waited */
};

static int
listen_somewhere(int client)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	bind(listener, (struct sockaddr *)&address, size);
	listen(listener, 5);
	getsockname(listener, (struct sockaddr *)&address, &size);
	connect(client, (struct sockaddr *)&address, size);
	return listener;
}

static void *
listen_and_accept(void *argument)
{
	struct listening *listening = argument;
	char *arguments[] = {"true", NULL};
	int client = socket(AF_INET, SOCK_STREAM, 0), listener = listen_somewhere(client);
	int first = highest(), fd;
	pid_t child = listening->has_child ? vfork() : -1;

	if (child == 0) {
		execv("/bin/true", arguments);
		syscall(SYS_exit_group, 1);
	}
	if (child != -1)
		waitpid(child, &listening->status, 0);
	fd = accept(listener, NULL, NULL);
	listening->accepted = fd != -1;
	listening->is_interrupted = is_taken(first);
	close(fd);
	close(client);
	close(listener);
	return NULL;
}

Test(brief, a_listener_that_nobody_else_has_needs_none)
{
	struct listening listening = {0};

	hub_patch_all();
	in_hub(listen_and_accept, &listening);
	cr_expect_eq(listening.accepted, 1);
	cr_expect_not(listening.is_interrupted);
}

Test(brief, what_a_child_of_vfork_executes_has_the_listener)
{
	struct listening listening = {.has_child = true};

	if (on_valgrind())
		cr_skip_test("its vfork is a fork, and what the child notes stays there");
	hub_patch_all();
	in_hub(listen_and_accept, &listening);
	cr_expect_eq(listening.status, 0);
	cr_expect_eq(listening.accepted, 1);
	cr_expect(listening.is_interrupted);
}
