#include "worker/idle.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

Test(idle, is_who_waits_to_receive_and_was_silent_for_so_long)
{
	struct hub_connection connection = {
		.activity = HUB_ACTIVITY_RECEIVING, .is_receiving = true, .since = 100};

	cr_assert(idle_is_waiting(&connection));
	cr_assert(idle_is(&connection, 150, 50));
	cr_assert_not(idle_is(&connection, 149, 50));
	connection.is_busy = true;
	cr_assert_not(idle_is(&connection, 150, 50));
	connection.is_busy = false;
	connection.input_is_ended = true;
	cr_assert_not(idle_is(&connection, 150, 50), "it would be counted again");
	connection.input_is_ended = false;
	connection.is_receiving = false;
	cr_assert_not(idle_is(&connection, 150, 50));
}

Test(idle, any_timeout_is_one)
{
	struct worker_settings settings = {.pin = true};

	cr_assert_not(idle_has_timeouts(&settings));
	settings.idle_timeout = 1;
	cr_assert(idle_has_timeouts(&settings));
	settings = (struct worker_settings){.write_timeout = 1};
	cr_assert(idle_has_timeouts(&settings));
	settings = (struct worker_settings){.request_timeout = 1};
	cr_assert(idle_has_timeouts(&settings));
}

/* Bytes that go by other calls than the hub's are the kernel's to tell. */
Test(idle, the_kernel_is_asked_where_the_hub_knows_nothing)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, fd, pair[2];
	char bytes[8];

	cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	client = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&address, length), 0);
	fd = accept(listener, NULL, NULL);
	poll(NULL, 0, 50);
	cr_assert_not(idle_is_doubtful(fd, 20 * HUB_MILLISECOND, true));
	cr_assert_eq(send(client, "request", 7, 0), 7);
	cr_assert_eq(recv(fd, bytes, sizeof bytes, 0), 7);
	cr_assert(idle_is_doubtful(fd, 60 * HUB_SECOND, false));
	poll(NULL, 0, 50);
	cr_assert_not(idle_is_doubtful(fd, 20 * HUB_MILLISECOND, false));
	cr_assert(idle_is_doubtful(fd, 20 * HUB_MILLISECOND, true), "it is not answered");
	cr_assert_eq(send(fd, "answer", 6, 0), 6);
	poll(NULL, 0, 50);
	cr_assert_not(idle_is_doubtful(fd, 20 * HUB_MILLISECOND, true));
	/* Of a Unix socket it knows what waits there. */
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(send(pair[1], "request", 7, 0), 7);
	cr_assert(idle_is_doubtful(pair[0], 20 * HUB_MILLISECOND, false));
	cr_assert_eq(recv(pair[0], bytes, sizeof bytes, 0), 7);
	cr_assert_not(idle_is_doubtful(pair[0], 60 * HUB_SECOND, true));
}
