/* What is passed begins with descriptor 3, which Criterion may have: so each case is a child
 * that does not assert, but counts what is wrong. */
#include "master/sockets/activation.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/complaint.h"

#define FIRST 3
#define PASSED_MAX 4

static struct address passed[PASSED_MAX], *const first = &passed[0], *const second = &passed[1];
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

/* What the address has got of what was passed, or -1. */
static int
socket_for(const struct address *address)
{
	for (unsigned i = 0; i < sockets.address_count; i++)
		if (address_is_same(&sockets.addresses[i], address))
			return sockets.passed[i] == sockets.shared[i] ? sockets.shared[i] : -2;
	return -1;
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
	own[0] = *second;
	own[1] = *first;
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, own, 2, 1) == 0);
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(socket_for(first) == FIRST && socket_for(second) == FIRST + 1);
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

/* One that nobody can have connected to. */
static void
with_a_stranger(void)
{
	char expected[ADDRESS_TEXT_SIZE + 64], text[ADDRESS_TEXT_SIZE];
	struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct address address = {.length = sizeof other};
	const char *heard;

	pass(2);
	close(FIRST);
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) == FIRST);
	EXPECT(bind(FIRST, (struct sockaddr *)&other, sizeof other) == 0);
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, second, 1, 1) == 0);
	getsockname(FIRST, (struct sockaddr *)&address.socket, &address.length);
	address_format(&address, text);
	complaint_listen();
	EXPECT(activation_take(&sockets) == 0);
	heard = complaint_heard();
	EXPECT(socket_for(second) == FIRST + 1);
	EXPECT(!is_open(FIRST));
	snprintf(expected, sizeof expected, "socket %d (%s) is none of the --listen addresses",
		FIRST, text);
	EXPECT(strstr(heard, expected) != NULL);
}

Test(activation, one_of_no_address_that_does_not_listen_is_closed_with_a_warning)
{
	in_child(with_a_stranger);
}

static void
twice_the_same(void)
{
	pass(1);
	dup2(FIRST, FIRST + 1);
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, first, 1, 1) == 0);
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(socket_for(first) == FIRST);
	EXPECT(!is_open(FIRST + 1));
}

Test(activation, one_socket_may_be_passed_twice)
{
	in_child(twice_the_same);
}

/* The second of two passed sockets has that name; its address is the listener other's. */
static int
take_named(const char *names)
{
	struct address own[2] = {*first, *second};

	pass(2);
	own[0] = *first;
	own[1] = *second;
	strcpy(own[0].listener, "admin");
	strcpy(own[1].listener, "other");
	announce(2, (int)getpid());
	setenv("LISTEN_FDNAMES", names, 1);
	EXPECT(sockets_init(&sockets, own, 2, 1) == 0);
	return activation_take(&sockets);
}

static void
with_right_names(void)
{
	EXPECT(take_named("admin:other") == 0);
	EXPECT(socket_for(second) == FIRST + 1);
}

static void
with_names_that_say_nothing(void)
{
	EXPECT(take_named("unit.socket:a-name-that-is-longer-than-listeners-have") == 0);
}

static void
with_too_few_names(void)
{
	EXPECT(take_named("admin") == 0);
}

static void
with_anothers_name(void)
{
	complaint_listen();
	EXPECT(take_named("admin:admin") == -1);
	EXPECT(strstr(complaint_heard(), "the name of a listener that --listen gives another") !=
		NULL);
}

Test(activation, a_socket_with_a_listeners_name_is_that_listeners)
{
	in_child(with_right_names);
	in_child(with_names_that_say_nothing);
	in_child(with_too_few_names);
	in_child(with_anothers_name);
}

/* Takes what was passed, for the address that another one has, and expects to be refused. */
static void
expect_refused(int count, const struct address *own, const char *why)
{
	const char *heard;

	announce(count, (int)getpid());
	EXPECT(sockets_init(&sockets, own, 1, 1) == 0);
	complaint_listen();
	EXPECT(activation_take(&sockets) == -1);
	heard = complaint_heard();
	EXPECT(strstr(heard, "cannot start: the passed socket ") != NULL);
	EXPECT(strstr(heard, why) != NULL);
}

/* Two sockets of one port: the manager keeps both, and the kernel gives both clients. */
static void
two_of_one_address(int type)
{
	int on = 1, fd;

	for (int i = 0; i < 2; i++) {
		const char *why;
		struct address addresses[ADDRESSES_MAX];

		address_parse(
			type == SOCK_DGRAM ? "udp:127.0.0.1:0" : "127.0.0.1:0", addresses, &why);
		if (i == 0)
			*first = addresses[0];
		fd = socket(AF_INET, type, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
		EXPECT(bind(fd, (struct sockaddr *)&first->socket, first->length) == 0);
		getsockname(fd, (struct sockaddr *)&first->socket, &first->length);
		dup2(fd, 100 + i);
	}
	for (int i = 0; i < 2; i++)
		dup2(100 + i, FIRST + i);
	expect_refused(2, first, "is the second one of that address");
}

static void
two_streams(void)
{
	two_of_one_address(SOCK_STREAM);
}

static void
two_of_datagrams(void)
{
	two_of_one_address(SOCK_DGRAM);
}

Test(activation, two_sockets_of_one_address_are_refused)
{
	in_child(two_streams);
	in_child(two_of_datagrams);
}

/* The manager keeps it, and who connects to it would wait for ever. */
static void
a_listening_stranger(void)
{
	struct address own;
	struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	int fd;

	pass(2);
	own = *first;
	expect_refused(2, first, "is none of the --listen addresses, and its clients");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT(bind(fd, (struct sockaddr *)&other, sizeof other) == 0);
	dup2(fd, FIRST);
	expect_refused(1, &own, "is none of the --listen addresses, and its clients");
	/* A name that the kernel chooses. */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT(bind(fd, (struct sockaddr *)&path, sizeof path.sun_family) == 0);
	dup2(fd, FIRST);
	expect_refused(1, &own, "is none of the --listen addresses, and its clients");
}

/* Nobody can send to it. */
static void
a_stranger_without_a_name(void)
{
	pass(2);
	close(FIRST);
	EXPECT(socket(AF_UNIX, SOCK_DGRAM, 0) == FIRST);
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, second, 1, 1) == 0);
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(!is_open(FIRST) && socket_for(second) == FIRST + 1);
}

Test(activation, one_without_a_name_is_closed)
{
	in_child(a_stranger_without_a_name);
}

Test(activation, one_of_no_address_that_listens_is_refused)
{
	in_child(a_listening_stranger);
}

/* As of Accept=yes. */
static void
one_that_is_connected(void)
{
	int client, fd;

	pass(1);
	client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&first->socket, first->length) == 0);
	fd = accept(FIRST, NULL, NULL);
	EXPECT(dup2(fd, FIRST) == FIRST);
	expect_refused(1, first, "is connected already: use Accept=no");
	/* Also where the address is none of the server's. */
	((struct sockaddr_in *)&first->socket)->sin_port ^= 1;
	expect_refused(1, first, "is connected already: use Accept=no");
}

Test(activation, a_connection_is_refused)
{
	in_child(one_that_is_connected);
}

static void
of_another_type(void)
{
	struct address addresses[ADDRESSES_MAX], *own = &addresses[0];
	char text[64];
	const char *why;

	for (int i = 0; i < 2; i++) {
		int fd = socket(AF_UNIX, i == 0 ? SOCK_SEQPACKET : SOCK_DGRAM, 0);

		snprintf(text, sizeof text, "unix:/tmp/hubbub-passed-%d-%d", (int)getpid(), i);
		EXPECT(address_parse(text, addresses, &why) == 1);
		EXPECT(bind(fd, (struct sockaddr *)&own->socket, own->length) == 0);
		unlink(text + 5);
		dup2(fd, FIRST);
		expect_refused(1, own, "is of another type: use ListenStream=");
	}
}

Test(activation, a_path_of_another_type_is_refused)
{
	in_child(of_another_type);
}

static void
what_is_no_socket(void)
{
	pass(1);
	dup2(FIRST, FIRST + 1);
	dup2(open("/dev/null", O_RDONLY), FIRST);
	announce(2, (int)getpid());
	EXPECT(sockets_init(&sockets, first, 1, 1) == 0);
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(socket_for(first) == FIRST + 1);
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
	EXPECT(sockets_init(&sockets, first, 1, 1) == 0);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		complaint_listen();
		announce(1, (int)getpid());
		setenv("LISTEN_FDS", counts[i], 1);
		EXPECT(activation_take(&sockets) == 0);
		EXPECT(strstr(complaint_heard(), "cannot have been passed") != NULL);
		EXPECT(socket_for(first) == -1 && is_open(FIRST));
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
	EXPECT(sockets_init(&sockets, first, 1, 1) == 0);
	/* A shell between the manager and this process, which forgot to clean up. */
	announce(1, (int)getppid());
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(socket_for(first) == -1 && is_open(FIRST));
	EXPECT(getenv("LISTEN_FDS") == NULL);
	setenv("LISTEN_FDS", "1", 1);
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(socket_for(first) == -1 && is_open(FIRST));
	announce(0, (int)getpid());
	EXPECT(activation_take(&sockets) == 0);
	EXPECT(socket_for(first) == -1 && is_open(FIRST));
}

Test(activation, what_is_passed_to_another_process_is_left_alone)
{
	in_child(for_another);
}
