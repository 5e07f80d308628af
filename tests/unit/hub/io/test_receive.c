#include <sys/socket.h>

#include "tests/support/in_hub.h"

struct record {
	int fds[2];
	long results[2];
	int errors[2];
	char bytes[64];
};

static void *
count_runs(void *argument)
{
	int *runs = argument;

	while (hub_sleep(0) == 0)
		++*runs;
	return NULL;
}

static void *
no_switch_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *other = hub_spawn(count_runs, &record->errors[0]);
	int64_t began = hub_now();

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->fds);
	/* Far longer than a slice, however slow. */
	while (hub_now() - began < 20 * HUB_MILLISECOND || record->results[0] <= 1000) {
		record->results[0] += hub_send(record->fds[0], "x", 1, MSG_DONTWAIT) == 1;
		record->results[0] += hub_recv(record->fds[1], record->bytes, 1, MSG_DONTWAIT) == 1;
	}
	record->errors[1] = record->errors[0];
	hub_kill(other);
	hub_join(other, NULL);
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	return NULL;
}

/* Services share a buffer between coroutines on the strength of this. */
Test(receive, dontwait_never_lets_another_coroutine_run)
{
	struct record record = {0};

	in_hub(no_switch_body, &record);
	cr_assert_gt(record.results[0], 1000);
	cr_assert_eq(record.errors[1], 0);
}

static void *
peek_all_body(void *argument)
{
	struct record *record = argument;

	socketpair(AF_UNIX, SOCK_STREAM, 0, record->fds);
	hub_send(record->fds[1], "ab", 2, 0);
	record->results[0] = hub_recv(record->fds[0], record->bytes, 6, MSG_PEEK | MSG_WAITALL);
	record->results[1] = hub_recv(record->fds[0], record->bytes, 6, 0);
	hub_close(record->fds[0]);
	hub_close(record->fds[1]);
	return NULL;
}

Test(receive, peeking_for_all_does_not_read_the_same_bytes_again)
{
	struct record record = {0};

	in_hub(peek_all_body, &record);
	cr_assert_eq(record.results[0], 2);
	cr_assert_eq(record.results[1], 2);
}
