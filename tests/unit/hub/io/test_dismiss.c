/* Clients in a listener's queue, whom nobody will serve. */
#include "hub/io/dismiss_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

#define CLIENTS 8
#define MANY 200

struct record {
	int64_t time;
	bool is_short, has_reserve; /* of files */
	bool streams;               /* one client never stops to send */
	bool stays;                 /* clients do not leave when they see the end */
	bool is_killed;
	int listener, reserve;
	bool is_done;
	size_t gone;
	int64_t lasted;
	int clients[CLIENTS], ended, reset, turns;
};

static int
connect_to(int listener)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int fd = hub_socket(AF_INET, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	hub_connect(fd, (struct sockaddr *)&address, length);
	return fd;
}

static void *
dismiss(void *argument)
{
	struct record *record = argument;
	int64_t began = hub_now();

	record->gone = dismiss_queued(record->listener, &record->reserve, record->time);
	record->lasted = hub_now() - began;
	record->is_done = true;
	return NULL;
}

/* It begins when it has been killed already. */
static void *
dismiss_killed(void *argument)
{
	hub_kill(hub_current());
	return dismiss(argument);
}

static void *
stream(void *argument)
{
	static char bytes[64 * 1024];
	struct record *record = argument;

	while (!record->is_done) {
		if (send(record->clients[0], bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) ==
				-1 &&
			errno != EAGAIN)
			break;
		record->turns++;
		if (hub_sleep(0) != 0)
			break;
	}
	return NULL;
}

static void
look(struct record *record, int client)
{
	struct hub_timeout scope;
	char byte;
	ssize_t got;

	hub_timeout_start(&scope, 20 * HUB_SECOND);
	got = hub_recv(client, &byte, 1, 0);
	record->ended += got == 0;
	record->reset += got < 0 && errno == ECONNRESET;
	hub_timeout_stop(&scope);
	if (!record->stays)
		hub_close(client);
}

static void *
body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *dismisser, *streamer = NULL;
	struct rlimit before, low;

	record->listener = hub_create_server("127.0.0.1", "0", 0);
	record->reserve = record->has_reserve ? eventfd(0, EFD_CLOEXEC) : -1;
	for (int i = 0; i < CLIENTS; i++) {
		record->clients[i] = connect_to(record->listener);
		hub_send(record->clients[i], "some", 4, 0);
	}
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit){(rlim_t)record->clients[CLIENTS - 1] + 1, before.rlim_max};
	if (record->is_short)
		setrlimit(RLIMIT_NOFILE, &low);
	if (record->streams)
		streamer = hub_spawn(stream, record);
	dismisser = hub_spawn(dismiss, record);
	if (record->is_killed) {
		/* One that has not begun would never begin. */
		hub_sleep(0);
		hub_kill(dismisser);
		hub_join(dismisser, NULL);
	}
	for (int i = record->streams; i < CLIENTS; i++)
		look(record, record->clients[i]);
	if (!record->is_killed)
		hub_join(dismisser, NULL);
	setrlimit(RLIMIT_NOFILE, &before);
	if (streamer != NULL)
		hub_join(streamer, NULL);
	for (int i = record->stays ? 0 : CLIENTS; i < CLIENTS; i++)
		hub_close(record->clients[i]);
	if (record->streams && !record->stays)
		hub_close(record->clients[0]);
	if (record->reserve != -1)
		close(record->reserve);
	hub_close(record->listener);
	return NULL;
}

static void *
take_turns(void *argument)
{
	struct record *record = argument;

	for (; !record->is_done; record->turns++)
		hub_sleep(0);
	return NULL;
}

static void *
many_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *dismisser, *other;
	int clients[MANY];

	record->listener = hub_create_server("127.0.0.1", "0", 0);
	for (int i = 0; i < MANY; i++)
		clients[i] = connect_to(record->listener);
	dismisser = hub_spawn(dismiss_killed, record);
	other = hub_spawn(take_turns, record);
	hub_join(dismisser, NULL);
	hub_join(other, NULL);
	for (int i = 0; i < MANY; i++)
		hub_close(clients[i]);
	hub_close(record->listener);
	return NULL;
}

TestSuite(dismiss, .timeout = 60);

Test(dismiss, all_see_an_end_and_no_reset)
{
	struct record record = {.time = 20 * HUB_SECOND};

	in_hub(body, &record);
	cr_assert_eq(record.ended, CLIENTS, "%d reset", record.reset);
	cr_assert_eq(record.gone, CLIENTS);
	cr_assert_lt(record.lasted, 15 * HUB_SECOND, "it waited though all had left");
}

Test(dismiss, those_who_stay_are_not_waited_for_longer_than_it_says)
{
	struct record record = {.time = 100 * HUB_MILLISECOND, .stays = true};

	in_hub(body, &record);
	cr_assert_eq(record.ended, CLIENTS, "%d reset", record.reset);
	cr_assert_eq(record.gone, CLIENTS);
	cr_assert_geq(record.lasted, 100 * HUB_MILLISECOND);
}

Test(dismiss, one_that_streams_leaves_others_their_turns)
{
	struct record record = {.time = 200 * HUB_MILLISECOND, .streams = true};

	in_hub(body, &record);
	cr_assert_eq(record.ended, CLIENTS - 1, "%d reset", record.reset);
	cr_assert_gt(record.turns, 10);
}

Test(dismiss, without_files_one_by_one_in_the_place_of_the_reserve)
{
	struct record record = {.time = 20 * HUB_SECOND, .is_short = true, .has_reserve = true};

	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(body, &record);
	cr_assert_eq(record.ended, CLIENTS, "%d reset", record.reset);
	cr_assert_eq(record.reserve, -1);
}

Test(dismiss, without_files_those_who_stay_keep_nobody_from_the_one_place)
{
	struct record record = {
		.time = 20 * HUB_SECOND, .is_short = true, .has_reserve = true, .stays = true};

	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(body, &record);
	cr_assert_eq(record.ended, CLIENTS, "%d reset", record.reset);
}

Test(dismiss, one_that_is_killed_does_all_that_needs_no_waiting)
{
	struct record record = {.time = 20 * HUB_SECOND, .is_killed = true};

	in_hub(body, &record);
	cr_assert_eq(record.ended, CLIENTS, "%d reset", record.reset);
}

Test(dismiss, one_that_is_killed_leaves_others_their_turns_too)
{
	struct record record = {.reserve = -1};

	in_hub(many_body, &record);
	cr_assert_eq(record.gone, MANY);
	cr_assert_geq(record.turns, 2);
}
