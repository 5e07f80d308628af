#include "hub/io/activity.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

struct record {
	int pair[2];
	int results[8], errors[8];
	struct fd_activity seen[12];
	int64_t times[4];
	int done;
	char bytes[64];
};

/* ---- what goes over it ---- */

static void *
exchange_body(void *argument)
{
	struct record *record = argument;
	int *pair = record->pair;
	struct fd_activity *seen = record->seen;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hub_adopt(pair[0]);
	*seen++ = fd_activity(pair[0]);
	*seen++ = fd_activity(pair[0]);
	hub_send(pair[1], "half", 4, 0);
	hub_recv(pair[0], record->bytes, 4, 0);
	*seen++ = fd_activity(pair[0]);
	hub_send(pair[1], "more", 4, 0);
	hub_recv(pair[0], record->bytes, 4, 0);
	*seen++ = fd_activity(pair[0]);
	hub_send(pair[0], "answer", 6, 0);
	*seen++ = fd_activity(pair[0]);
	/* By calls that are none of the hub's. */
	hub_note_received(pair[0]);
	*seen++ = fd_activity(pair[0]);
	hub_note_sent(pair[0]);
	*seen++ = fd_activity(pair[0]);
	/* Nothing has come with the end. */
	fd_begin_anew(pair[0]);
	shutdown(pair[1], SHUT_WR);
	record->results[0] = (int)hub_recv(pair[0], record->bytes, 4, 0);
	*seen++ = fd_activity(pair[0]);
	hub_note_received(pair[0]);
	fd_set_busy(pair[0], true);
	hub_send(pair[0], "x", 1, 0);
	*seen++ = fd_activity(pair[0]);
	hub_note_received(pair[0]);
	fd_set_busy(pair[0], false);
	*seen++ = fd_activity(pair[0]);
	fd_set_busy(-1, true);
	fd_begin_anew(100000);
	hub_note_sent(-1);
	hub_close(pair[0]);
	*seen = fd_activity(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(activity, is_told_of_requests_and_answers)
{
	struct record record = {0};
	struct fd_activity *seen = record.seen;

	in_hub(exchange_body, &record);
	cr_assert(!seen[0].has_come && !seen[0].is_asked && seen[0].has_sent, "it has just begun");
	cr_assert_not(seen[1].has_sent);
	cr_assert(seen[2].has_come && seen[2].is_asked && seen[2].is_new && !seen[2].has_sent);
	cr_assert(seen[3].is_asked && !seen[3].is_new, "the same request");
	cr_assert(seen[4].has_come && !seen[4].is_asked && seen[4].has_sent, "it is answered");
	cr_assert(seen[5].is_asked && seen[5].is_new, "another request");
	cr_assert(!seen[6].is_asked && seen[6].has_sent);
	cr_assert_eq(record.results[0], 0);
	cr_assert(!seen[7].has_come && !seen[7].is_asked, "an end is no request");
	cr_assert(seen[8].is_busy && seen[8].has_come && !seen[8].is_asked);
	cr_assert_not(seen[8].is_settled, "it has said the contrary");
	cr_assert(!seen[9].is_busy && !seen[9].is_asked && seen[9].has_come);
	cr_assert(seen[9].is_settled);
	cr_assert_not(seen[9].has_sent, "its word is no answer");
	cr_assert(!seen[10].has_come && seen[10].active_at == 0, "the hub does not know it");
}

static void *
times_body(void *argument)
{
	struct record *record = argument;
	int *pair = record->pair;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hub_adopt(pair[0]);
	record->times[0] = fd_activity(pair[0]).active_at;
	hub_sleep(2 * HUB_MILLISECOND);
	hub_send(pair[1], "a", 1, 0);
	hub_recv(pair[0], record->bytes, 4, 0);
	record->times[1] = fd_activity(pair[0]).active_at;
	hub_sleep(2 * HUB_MILLISECOND);
	hub_send(pair[0], "b", 1, 0);
	record->times[2] = fd_activity(pair[0]).active_at;
	/* Waiting is no activity. */
	hub_sleep(2 * HUB_MILLISECOND);
	hub_await_fd(pair[0], POLLIN, HUB_MILLISECOND);
	record->times[3] = fd_activity(pair[0]).active_at;
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(activity, counts_from_the_last_byte_of_either_direction)
{
	struct record record = {0};

	in_hub(times_body, &record);
	cr_assert_geq(record.times[1] - record.times[0], 2 * HUB_MILLISECOND);
	cr_assert_geq(record.times[2] - record.times[1], 2 * HUB_MILLISECOND);
	cr_assert_eq(record.times[3], record.times[2]);
}

/* ---- how it is waited for, and told of the end of its input ---- */

static void *
wait_by_recv(void *argument)
{
	struct record *record = argument;

	record->results[0] = (int)hub_recv(record->pair[0], record->bytes, 4, 0);
	record->done++;
	return NULL;
}

static void *
wait_by_wait_fd(void *argument)
{
	struct record *record = argument;

	record->results[1] = hub_wait_fd(record->pair[0], POLLIN);
	record->results[2] = hub_wait_fd(record->pair[0], POLLIN | POLLOUT);
	record->done++;
	return NULL;
}

static void *
wait_by_poll(void *argument)
{
	struct record *record = argument;
	struct pollfd query = {.fd = record->pair[0], .events = POLLIN};

	hub_poll(&query, 1, -1);
	record->results[3] = query.revents;
	query = (struct pollfd){.fd = record->pair[0], .events = POLLIN | POLLPRI};
	record->results[4] = hub_poll(&query, 1, 0);
	record->done++;
	return NULL;
}

static void *
wait_by_select(void *argument)
{
	struct record *record = argument;
	struct hub_case one = {.kind = HUB_CASE_FD, .fd = record->pair[0], .events = POLLIN};

	record->results[5] = hub_select(&one, 1, HUB_FOREVER);
	record->errors[5] = one.error;
	record->done++;
	return NULL;
}

static void *
wait_by_set(void *argument)
{
	struct record *record = argument;
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(set, EPOLL_CTL_ADD, record->pair[0], &event);
	record->results[6] = hub_wait_fd(set, POLLIN);
	/* To the kernel it has ended, too. */
	record->results[7] = (int)recv(record->pair[0], record->bytes, 4, MSG_DONTWAIT);
	hub_close(set);
	record->done++;
	return NULL;
}

static hub_fn *const waits[] = {
	wait_by_recv, wait_by_wait_fd, wait_by_poll, wait_by_select, wait_by_set};

#define WAITS (sizeof waits / sizeof waits[0])

static void *
wait_body(void *argument)
{
	struct record *record = argument;

	for (size_t i = 0; i < WAITS; i++) {
		struct hub_coroutine *waiter;

		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->pair);
		hub_adopt(record->pair[0]);
		waiter = hub_spawn(waits[i], record);
		until_it_waits(waiter);
		record->seen[i] = fd_activity(record->pair[0]);
		hub_end_input(record->pair[0]);
		hub_sleep(20 * HUB_MILLISECOND);
		record->errors[0] += fd_activity(record->pair[0]).has_ended;
		hub_kill(waiter);
		hub_join(waiter, NULL);
		hub_close(record->pair[0]);
		hub_close(record->pair[1]);
	}
	return NULL;
}

Test(activity, whoever_waits_to_receive_is_seen_and_told_of_the_end)
{
	struct record record = {.results = {-2, -2, -2, -2, -2, -2, -2, -2}};

	in_hub(wait_body, &record);
	for (size_t i = 0; i < WAITS; i++)
		cr_assert(record.seen[i].is_receiving && !record.seen[i].has_ended, "way %zu", i);
	cr_assert_eq(record.errors[0], (int)WAITS);
	cr_assert_eq(record.results[0], 0);
	cr_assert_eq(record.results[1], POLLIN);
	cr_assert_eq(record.results[2], POLLIN | POLLOUT);
	cr_assert_eq(record.results[3], POLLIN);
	cr_assert_eq(record.results[4], 1);
	cr_assert_eq(record.results[5], 0);
	cr_assert_eq(record.errors[5], 0);
	cr_assert_eq(record.results[6], POLLIN);
	cr_assert_eq(record.results[7], 0);
	cr_assert_eq(record.done, (int)WAITS);
}

static void *
other_waits_body(void *argument)
{
	struct record *record = argument;
	static char many[1 << 20];
	struct hub_coroutine *sender;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, record->pair);
	hub_adopt(record->pair[0]);
	record->seen[0] = fd_activity(record->pair[0]);
	while (hub_send(record->pair[0], many, sizeof many, MSG_DONTWAIT) > 0)
		continue;
	record->seen[1] = fd_activity(record->pair[0]);
	sender = hub_spawn(wait_by_wait_fd, record);
	until_it_waits(sender);
	hub_kill(sender);
	hub_join(sender, NULL);
	record->seen[2] = fd_activity(record->pair[0]);
	hub_close(record->pair[0]);
	hub_close(record->pair[1]);
	return NULL;
}

Test(activity, whoever_does_not_wait_is_not_seen)
{
	struct record record = {0};

	in_hub(other_waits_body, &record);
	for (int i = 0; i < 3; i++)
		cr_assert(!record.seen[i].is_receiving && !record.seen[i].is_sending, "%d", i);
	cr_assert(record.seen[1].has_sent);
	cr_assert_not(record.seen[2].has_sent);
}
