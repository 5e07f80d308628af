#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int results[8];
	int errors[8];
	short revents[8];
	int pairs[3][2];
};

static void *
write_later(void *argument)
{
	struct record *record = argument;

	hub_sleep(HUB_MILLISECOND);
	hub_write(record->pairs[1][0], "x", 1);
	return NULL;
}

static void *
close_later(void *argument)
{
	struct record *record = argument;

	hub_sleep(HUB_MILLISECOND);
	hub_close(record->pairs[2][1]);
	return NULL;
}

static void *
body(void *argument)
{
	struct record *record = argument;
	struct pollfd fds[12];
	struct hub_timeout scope;
	char byte;

	for (int i = 0; i < 3; i++)
		socketpair(AF_UNIX, SOCK_STREAM, 0, record->pairs[i]);
	for (int i = 0; i < 12; i++)
		fds[i] = (struct pollfd){i < 3 ? record->pairs[i][1] : -1, POLLIN, 0};
	record->results[0] = hub_poll(fds, 3, 0);
	record->results[1] = hub_poll(fds, 3, 2);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	record->errors[2] = hub_poll(fds, 3, -1) == -1 ? errno : 0;
	hub_timeout_stop(&scope);
	hub_detach(hub_spawn(write_later, record));
	record->results[3] = hub_poll(fds, 12, -1);
	record->revents[3] = fds[1].revents;
	hub_read(record->pairs[1][1], &byte, 1);
	hub_detach(hub_spawn(close_later, record));
	record->results[4] = hub_poll(fds, 3, 10000);
	record->revents[4] = fds[2].revents;
	fds[0].events = POLLIN | POLLOUT;
	record->results[5] = hub_poll(fds, 1, -1);
	record->revents[5] = fds[0].revents;
	for (int i = 0; i < 3; i++) {
		hub_close(record->pairs[i][0]);
		if (i < 2)
			hub_close(record->pairs[i][1]);
	}
	return NULL;
}

Test(poll, waits_for_any_of_many)
{
	struct record record = {0};

	in_hub(body, &record);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], 0);
	cr_assert_eq(record.errors[2], ETIMEDOUT);
	cr_assert_eq(record.results[3], 1);
	cr_assert_eq(record.revents[3], POLLIN);
	cr_assert_eq(record.results[4], 1);
	cr_assert_eq(record.revents[4], POLLNVAL);
	cr_assert_eq(record.results[5], 1);
	cr_assert_eq(record.revents[5], POLLOUT);
}
