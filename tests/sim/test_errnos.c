/* Every errno that a manual page names happens, within some seeds, to a program that makes all
 * calls, and goes on after each. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/kernel/errnos_priv.h"

#define SEEDS 2000

TestSuite(errnos, .timeout = 120);

static struct sockaddr_in
any_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static void *
connect_and_talk(void *argument)
{
	const struct sockaddr_in *address = argument;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	if (hub_connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
		hub_send(fd, "x", 1, 0);
		hub_recv(fd, &byte, 1, 0);
	}
	if (fd != -1)
		hub_close(fd);
	return NULL;
}

static void
use_tcp(void)
{
	struct sockaddr_in address = any_port();
	socklen_t length = sizeof address;
	struct hub_coroutine *client;
	struct hub_timeout scope;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0), other;

	if (fd == -1)
		return;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 5) == 0) {
		getsockname(fd, (struct sockaddr *)&address, &length);
		client = hub_spawn(connect_and_talk, &address);
		hub_timeout_start(&scope, 60 * HUB_SECOND);
		other = hub_accept(fd, NULL, NULL);
		hub_timeout_stop(&scope);
		if (other != -1) {
			hub_send(other, "x", 1, 0);
			hub_close(other);
		}
		hub_close(fd);
		hub_join(client, NULL);
	} else {
		hub_close(fd);
	}
}

static void
use_others(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/a/name"};
	struct sockaddr_in address = any_port();
	struct epoll_event event = {.events = EPOLLIN};
	socklen_t length = sizeof address;
	int udp = socket(AF_INET, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
	int set = epoll_create1(0), fd;
	char byte;

	bind(udp, (struct sockaddr *)&address, sizeof address);
	getsockname(udp, (struct sockaddr *)&address, &length);
	connect(udp, (struct sockaddr *)&address, sizeof address);
	send(udp, "x", 1, MSG_DONTWAIT);
	recv(udp, &byte, 1, MSG_DONTWAIT);
	bind(local, (struct sockaddr *)&name, sizeof name);
	epoll_ctl(set, EPOLL_CTL_ADD, local, &event);
	fd = hub_open("/state/file", O_RDWR | O_CREAT, 0600);
	if (fd != -1) {
		hub_pwrite(fd, "x", 1, 0);
		hub_pread(fd, &byte, 1, 0);
		ftruncate(fd, 0);
		hub_fsync(fd);
		hub_close(fd);
	}
	if (set != -1)
		close(set);
	if (udp != -1)
		close(udp);
	if (local != -1)
		close(local);
}

static void *
use_all(void *unused)
{
	use_tcp();
	use_others();
	return unused;
}

Test(errnos, each_row_happens)
{
	struct hub_sim_options options = {.refused = 5, .directory = "/state"};
	const struct errnos_row *rows;
	size_t count;

	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		cr_assert_eq(hub_sim_run(seed, &options, use_all, NULL), 0, "%s", hub_sim_report());
	rows = errnos_rows(&count);
	for (size_t i = 0; i < count; i++)
		cr_expect_gt(rows[i].seen, 0, "row %zu: call %d never fails with %s", i,
			(int)rows[i].call, strerror(rows[i].error));
}
