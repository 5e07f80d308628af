/* What is passed begins with descriptor 3, which Criterion may have: so each case is a child
 * that does not assert, but counts what is wrong. */
#include "master/activation.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/complaint.h"

#define FIRST 3
#define PASSED_MAX 4

static struct address passed[PASSED_MAX];
static struct sockets sockets;
static int wrong;

#define EXPECT(condition)                                                                          \
	((condition) ? (void)0                                                                     \
		     : (void)(fprintf(stderr, "line %d: %s\n", __LINE__, #condition), wrong++))

/* A service manager's sockets: count of them, on ports that the kernel chooses. */
static void
pass(int count)
{
	for (int i = 0; i < count; i++) {
		const char *why;
		struct address addresses[ADDRESSES_MAX];
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		address_parse("127.0.0.1:0", addresses, &why);
		passed[i] = addresses[0];
		bind(fd, (struct sockaddr *)&passed[i].socket, passed[i].length);
		listen(fd, 1);
		getsockname(fd, (struct sockaddr *)&passed[i].socket, &passed[i].length);
		dup2(fd, 100 + i);
		close(fd);
	}
	for (int i = 0; i < count; i++) {
		dup2(100 + i, FIRST + i);
		close(100 + i);
	}
}

static void
announce(int count, int pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", count);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof text, "%d", pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
in_child(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	cr_assert_neq(pid, -1);
	if (pid == 0) {
		body();
		_exit(wrong);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

static void
in_any_order(void)
{
	struct address own[2];

	pass(2);
	own[0] = passed[1];
	own[1] = passed[0];
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, own, 2, 1) == 0);
	activation_take(&sockets);
	EXPECT(sockets.shared[0] == FIRST + 1 && sockets.shared[1] == FIRST);
	EXPECT(sockets.passed[0] == FIRST + 1 && sockets.passed[1] == FIRST);
	/* A worker or an upgrade's new master must not take them again. */
	EXPECT(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);
	EXPECT(getenv("LISTEN_FDNAMES") == NULL);
	EXPECT(fcntl(FIRST, F_GETFD) & FD_CLOEXEC);
	EXPECT(fcntl(FIRST, F_GETFL) & O_NONBLOCK);
}

Test(activation, each_socket_finds_its_address)
{
	in_child(in_any_order);
}

static void
with_a_stranger(void)
{
	char expected[ADDRESS_TEXT_SIZE + 64], text[ADDRESS_TEXT_SIZE];
	const char *heard;

	pass(3);
	announce(3, (int)getpid());
	EXPECT(sockets_init(&sockets, &passed[2], 1, 1) == 0);
	complaint_listen();
	activation_take(&sockets);
	heard = complaint_heard();
	EXPECT(sockets.shared[0] == FIRST + 2);
	EXPECT(!is_open(FIRST) && !is_open(FIRST + 1));
	address_format(&passed[0], text);
	snprintf(expected, sizeof expected, "socket %d (%s) is none of the --listen addresses",
		FIRST, text);
	EXPECT(strstr(heard, expected) != NULL);
}

Test(activation, one_of_no_address_is_closed_with_a_warning)
{
	in_child(with_a_stranger);
}

static void
twice_the_same(void)
{
	pass(1);
	dup2(FIRST, FIRST + 1);
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, &passed[0], 1, 1) == 0);
	activation_take(&sockets);
	EXPECT(sockets.shared[0] == FIRST);
	EXPECT(!is_open(FIRST + 1));
}

Test(activation, an_address_takes_one)
{
	in_child(twice_the_same);
}

static void
what_is_no_socket(void)
{
	pass(1);
	dup2(FIRST, FIRST + 1);
	dup2(open("/dev/null", O_RDONLY), FIRST);
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, &passed[0], 1, 1) == 0);
	activation_take(&sockets);
	EXPECT(sockets.shared[0] == FIRST + 1);
	EXPECT(!is_open(FIRST));
}

Test(activation, what_is_no_socket_is_closed)
{
	in_child(what_is_no_socket);
}

static void
more_than_there_can_be(void)
{
	static const char *const counts[] = {
		"2147483647", "4294967297", "99999999999999999999", "-1"};

	pass(1);
	EXPECT(sockets_init(&sockets, &passed[0], 1, 1) == 0);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		complaint_listen();
		announce(1, (int)getpid());
		setenv("LISTEN_FDS", counts[i], 1);
		activation_take(&sockets);
		EXPECT(strstr(complaint_heard(), "cannot have been passed") != NULL);
		EXPECT(sockets.shared[0] == -1 && is_open(FIRST));
	}
}

Test(activation, a_count_of_more_than_there_can_be_is_named_and_ignored)
{
	in_child(more_than_there_can_be);
}

static void
for_another(void)
{
	pass(1);
	EXPECT(sockets_init(&sockets, &passed[0], 1, 1) == 0);
	/* A shell between the manager and this process, which forgot to clean up. */
	announce(1, (int)getppid());
	activation_take(&sockets);
	EXPECT(sockets.shared[0] == -1 && is_open(FIRST));
	EXPECT(getenv("LISTEN_FDS") == NULL);
	setenv("LISTEN_FDS", "1", 1);
	activation_take(&sockets);
	EXPECT(sockets.shared[0] == -1 && is_open(FIRST));
	announce(0, (int)getpid());
	activation_take(&sockets);
	EXPECT(sockets.shared[0] == -1 && is_open(FIRST));
}

Test(activation, what_is_passed_to_another_process_is_left_alone)
{
	in_child(for_another);
}
