#include "worker/keepalive.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener;
static struct sockaddr_in address;

static void
begin(void)
{
	socklen_t length = sizeof address;

	address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(listener, 8), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
}

TestSuite(keepalive, .init = begin, .timeout = 60);

/* What a connection has that is made now. */
static int
accepted(int level, int option)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), fd, value = -1;
	socklen_t length = sizeof value;

	cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
	fd = accept(listener, NULL, NULL);
	cr_assert_eq(getsockopt(fd, level, option, &value, &length), 0);
	close(fd);
	close(client);
	return value;
}

Test(keepalive, is_inherited_by_what_is_accepted)
{
	struct worker_settings settings = {
		.keepalive = 80 * HUB_SECOND, .write_timeout = 30 * HUB_SECOND};

	keepalive_set(listener, &settings);
	cr_assert_eq(accepted(SOL_SOCKET, SO_KEEPALIVE), 1);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_KEEPIDLE), 40);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_KEEPINTVL), 10);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_KEEPCNT), 4);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_USER_TIMEOUT), 80000);
	/* By a reload. */
	settings.keepalive = 0;
	keepalive_set(listener, &settings);
	cr_assert_eq(accepted(SOL_SOCKET, SO_KEEPALIVE), 0);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

Test(keepalive, never_cuts_a_closed_window_before_the_write_timeout)
{
	struct worker_settings settings = {
		.keepalive = HUB_SECOND, .write_timeout = 30 * HUB_SECOND};

	keepalive_set(listener, &settings);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_KEEPIDLE), 1);
	settings.write_timeout = 0;
	keepalive_set(listener, &settings);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	cr_assert_eq(accepted(SOL_SOCKET, SO_KEEPALIVE), 1);
}

Test(keepalive, the_longest_time_is_one_that_the_kernel_takes)
{
	struct worker_settings settings = {
		.keepalive = 1000000 * HUB_SECOND, .write_timeout = 1000000000 * HUB_SECOND};

	keepalive_set(listener, &settings);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_KEEPIDLE), 32767);
	cr_assert_eq(accepted(IPPROTO_TCP, TCP_USER_TIMEOUT), INT32_MAX);
}

Test(keepalive, unix_sockets_are_left_alone)
{
	struct worker_settings settings = {.keepalive = HUB_SECOND};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), on = -1;
	socklen_t length = sizeof on;

	keepalive_set(fd, &settings);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &length), 0);
	cr_assert_eq(on, 0);
}
